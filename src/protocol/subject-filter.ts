/** Whether a filter, which may have wildcards, names a subject: as the server compares them. */
export function isUnder(subject: string, filter: string): boolean {
  if (filter === ">") return true;
  const [tokens, wanted] = [subject.split("."), filter.split(".")];
  const rest = wanted.indexOf(">");
  if (rest < 0 ? tokens.length !== wanted.length : tokens.length <= rest) return false;
  return wanted.every((token, index) => token === "*" || token === ">" || token === tokens[index]);
}
