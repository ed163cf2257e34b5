/** Milliseconds since the Unix epoch. Every instant inside Punctual is one. */
export type Instant = number;
