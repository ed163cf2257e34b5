import { expect, test } from "vitest";
import { OutputLines } from "../../src/worker/output-lines.js";

test.each<[string, (string | Buffer)[], string[]]>([
  ["whole lines", ["one\ntwo\n"], ["one", "two"]],
  ["a line in pieces", ["o", "ne\ntw", "o"], ["one", "two"]],
  ["empty lines, and line breaks of Windows", ["\n\r\na\r\n"], ["", "", "a"]],
  ["nothing", [""], []],
  ["a character that was cut in half", [Buffer.from([0xc3]), Buffer.from([0xbc, 0x0a])], ["ü"]],
  ["a line that is too long", ["abcdefghij\nk\n"], ["abcd", "efgh", "ij", "k"]],
  ["a line that does not end", ["abcd", "efghi"], ["abcd", "efgh", "i"]],
])("tells %s", (_what, chunks, expected) => {
  const lines: string[] = [];
  const output = new OutputLines(4, (line) => lines.push(line));
  for (const chunk of chunks) output.push(Buffer.from(chunk as string));
  output.end();
  expect(lines).toEqual(expected);
});
