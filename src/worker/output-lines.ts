/** What a command writes, line by line. A line that does not end is told in pieces, so that none is held for ever. */
import { StringDecoder } from "node:string_decoder";

export class OutputLines {
  readonly #longest: number;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder();
  #rest = "";

  /** @param longest characters of a line, or of a piece of one */
  constructor(longest: number, onLine: (line: string) => void) {
    this.#longest = longest;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#tell(line.endsWith("\r") ? line.slice(0, -1) : line);
    while (this.#rest.length > this.#longest) {
      this.#onLine(this.#rest.slice(0, this.#longest));
      this.#rest = this.#rest.slice(this.#longest);
    }
  }

  /** What came after the last line break. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = "";
    if (rest !== "") this.#tell(rest);
  }

  #tell(line: string): void {
    for (let from = 0; from === 0 || from < line.length; from += this.#longest)
      this.#onLine(line.slice(from, from + this.#longest));
  }
}
