/** Milliseconds since the Unix epoch. Every instant inside Punctual is one. */
export type Instant = number;

/** The clocks of two servers differ by less. */
export const SKEW_MS = 30_000;

/** The clocks of the server and of orchestrators may differ by so much. */
export const CLOCKS_DIFFER_MS = 60_000;
