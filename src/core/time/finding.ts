/** What a check of a schedule has to say. The codes are stable; the README tells what each means. */
export type LintCode =
  | "never-fires"
  | "dst-gap"
  | "dst-overlap"
  | "uneven-step"
  | "skips-months"
  | "day-or"
  | "faster-than-second"
  | "collision";

export interface Finding {
  readonly code: LintCode;
  readonly message: string;
}
