/**
 * Ids of imported lines. They come from the command alone: a line whose times change keeps its id, so that a
 * crontab imported again updates its schedules instead of doubling them, and lines may change places.
 *
 *   /usr/local/bin/backup --full >/dev/null   →   backup-full-1f0e5ab2
 *   the same command on a second line         →   backup-full-1f0e5ab2-2
 */
import { invalid } from "../../core/errors.js";
import { hash32 } from "../../core/hash.js";
import { checkScheduleId } from "../../protocol/names.js";

const WORDS_LENGTH = 40;
const PREFIX_LENGTH = 64;

export class LineIds {
  readonly #prefix: string;
  readonly #used = new Set<string>();

  constructor(prefix: string | undefined) {
    if (prefix !== undefined && prefix.length > PREFIX_LENGTH)
      throw invalid("prefix", `expected at most ${PREFIX_LENGTH} characters, got ${prefix.length}`);
    this.#prefix = prefix === undefined ? "" : `${checkScheduleId(prefix, "prefix")}-`;
  }

  /** @param identity all that makes the command what it is */
  idFor(command: string, identity: string): string {
    const hash = hash32(identity).toString(16).padStart(8, "0");
    const base = `${this.#prefix}${wordsOf(command)}-${hash}`;
    let id = base;
    for (let n = 2; this.#used.has(id); n++) id = `${base}-${n}`;
    this.#used.add(id);
    return checkScheduleId(id);
  }
}

/** The program without its folder, and the words after it, without redirections. */
function wordsOf(command: string): string {
  const words = command
    .replace(/\d*>+\s*\S+/g, " ")
    .replace(/^\S*\//, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "");
  return words.slice(0, WORDS_LENGTH).replace(/-+$/, "") || "job";
}
