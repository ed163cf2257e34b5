/** Changes of offset worth drawing often: each kind that the tz data knows. Offsets are whole minutes. */
const ZONES: readonly (readonly [zone: string, changes: readonly string[]])[] = [
  ["Europe/Berlin", ["2024-03-31T01:00Z", "2024-10-27T01:00Z", "2037-03-29T01:00Z"]],
  ["America/New_York", ["2024-03-10T07:00Z", "2024-11-03T06:00Z"]],
  // At midnight: the day begins at 01:00, or its last hour comes twice.
  ["America/Sao_Paulo", ["2018-11-04T03:00Z", "2018-02-18T02:00Z"]],
  ["America/Havana", ["2024-03-10T05:00Z", "2024-11-03T05:00Z"]],
  ["Asia/Beirut", ["2024-03-30T22:00Z", "2024-10-26T21:00Z"]],
  // Four changes in a year.
  ["Africa/Cairo", ["2010-04-29T22:00Z", "2010-08-10T21:00Z", "2010-09-09T22:00Z", "2010-09-30T21:00Z"]],
  ["Africa/Casablanca", ["2012-04-29T02:00Z", "2012-07-20T02:00Z", "2012-08-20T02:00Z", "2012-09-30T02:00Z"]],
  ["Africa/Casablanca", ["2024-03-10T02:00Z", "2024-04-14T02:00Z"]],
  // By half an hour, and by two hours.
  ["Australia/Lord_Howe", ["2024-10-05T15:30Z", "2024-04-06T15:00Z"]],
  ["Antarctica/Troll", ["2024-03-31T01:00Z", "2024-10-27T01:00Z"]],
  // Gaps that end with the day.
  ["America/Nuuk", ["2024-03-31T01:00Z", "2024-10-27T01:00Z"]],
  ["Asia/Pyongyang", ["2018-05-04T15:00Z", "2015-08-14T15:00Z"]],
  // A day that never was, and one that was twice.
  ["Pacific/Apia", ["2011-12-30T10:00Z", "2011-09-24T14:00Z"]],
  ["Pacific/Kwajalein", ["1993-08-21T12:00Z", "1969-09-30T13:00Z"]],
  // An edge of the table of the code under test lies within the hours that come twice.
  ["Europe/Berlin", ["2006-10-29T01:00Z"]],
  ["Antarctica/Troll", ["2029-10-28T01:00Z"]],
  // Odd ones, and no summer time at all.
  ["Asia/Kathmandu", ["1985-12-31T18:30Z"]],
  ["America/Caracas", ["2007-12-09T07:00Z", "2016-05-01T07:00Z"]],
  ["America/Noronha", ["2000-10-08T02:00Z", "2000-10-15T01:00Z"]],
  ["UTC", ["2024-02-29T00:00Z"]],
];

export const notedChanges: readonly { zone: string; at: number }[] = ZONES.flatMap(([zone, list]) =>
  list.map((at) => ({ zone, at: Date.parse(at) })),
);
