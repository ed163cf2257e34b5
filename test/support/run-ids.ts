/** The slot of a run: `often:20261124T030000250Z`. */
export function instantOf(runId: string): number {
  const [, y, mo, d, h, mi, s, ms] = /:(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})?Z$/.exec(runId) ?? [];
  return Date.parse(`${y}-${mo}-${d}T${h}:${mi}:${s}.${ms ?? "000"}Z`);
}
