/** The release of the tz data that this process knows, as `2025c`; every local time rests on it. */
export const tzDataVersion: string = process.versions.tz ?? "unknown";
