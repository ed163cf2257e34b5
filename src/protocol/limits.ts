/** Every limit of the protocol. Lengths are characters, times milliseconds, unless the name says otherwise. */
export const limits = {
  namespaceLength: 32,
  queueLength: 64,
  /** Revisions kept of the settings of each queue, for people. */
  queueHistory: 8,
  minAckWaitMs: 100,
  /** Jobs of a queue at once. */
  queueConcurrency: 100_000,
  /** Jobs of a key at once: each of a key's tickets may have to be looked at. */
  keyConcurrency: 100,
  /** A key may be unique for this long. */
  uniqueForMs: 31 * 24 * 3_600_000,
  /** Jobs in one period of a rate. */
  rateLimit: 1_000_000,
  scheduleIdLength: 128,
  jobIdLength: 128,
  memberIdLength: 64,
  noteLength: 1_000,
  /** Labels of one schedule. */
  labels: 64,
  /** Who made a change. */
  authorLength: 128,
  cronExpressionLength: 256,
  rruleLength: 512,
  /** Entries of `include`, of `exclude`, and of a list of cron lines. */
  specItems: 64,
  /** Entries of a list of one-off times. */
  specTimes: 1_000,
  /** Of one calendar. */
  calendarHolidays: 1_000,
  /** Stretches of opening hours of one weekday. */
  calendarHours: 24,
  /** Calendars of a namespace. */
  calendars: 1_000,
  /** Alert rules of a namespace, and what one of them names. */
  alertRules: 500,
  alertTargets: 1_000,
  /** Runs in a row, and dead letters, that a rule may wait for. */
  alertFailures: 100,
  alertDeaths: 10_000,
  /** Expected heartbeats of a namespace, and names of which the last beat is kept. */
  heartbeats: 5_000,
  beats: 100_000,
  /** Runs that wait for their jitter are held in the lease record. */
  jitterMs: 3_600_000,
  /** User headers of one job. */
  headers: 64,
  headerValueLength: 4_096,
  /** Of the largest message that the server takes, kept for the headers; bytes. */
  headerRoom: 16_384,
  /** Of a job that follows upon another, as JSON with all that follows upon it; bytes. And how deep that may go. */
  chainBytes: 16_384,
  chainDepth: 8,
  groupMembers: 10_000,
  /** With the number of a member it is a job id. */
  groupIdLength: 120,
  /** A group that is completed can be looked at for this long. */
  groupTtlMs: 7 * 24 * 3_600_000,
  /** Shards of a namespace; fixed when it is made. */
  minShards: 1,
  maxShards: 1_024,
  defaultShards: 16,
  /** Entries one lease record may carry, however short the ids of their schedules are; see `mostFirings`. */
  firingPerShard: 8_192,
  /** And the room they may take: with all else well below a message's 1 MiB. */
  firingBytesPerShard: 650_000,
  /** Runs of a schedule that may be under way at once, where their number is limited. */
  maxConcurrent: 64,
  /** Runs of one schedule, and of one shard, that may wait for others to be over. */
  bufferPerSchedule: 1_000,
  waitingPerShard: 1_024,
  /** Schedules with a limit of runs in one shard. */
  countedPerShard: 512,
  /** Failed runs in a row that may be asked for. */
  pauseOnFailure: 100,
  /** Reports (skipped, missed, expired) one lease record may carry. */
  reportsPerShard: 512,
  /** The server forgets a message id after this long; kept short because every id costs it about 260 bytes. */
  dedupWindowMs: 120_000,
  /** Tombstones must outlive the dedup window. */
  tombstoneAgeMs: 600_000,
  /** Redeliveries the server allows at most, whatever a job asks. */
  maxAttempts: 100,
  maxDurationMs: 366 * 24 * 3_600_000,
  /** Kept of an error message and stack, and of a command's output. */
  errorLength: 8_192,
  /** Kept of what the handler of one attempt logs: lines, and bytes of all of them and of one. */
  logLines: 1_000,
  logBytes: 262_144,
  logLineBytes: 8_192,
  /** Of one event with log lines. */
  logBatchBytes: 65_536,
  /** Of a handler's progress as JSON. */
  progressBytes: 1_024,
  /** Revisions kept of each definition, so that a firing entry finds the one it refers to. */
  scheduleHistory: 16,
  /** Told of one revision in a history: fields, and characters of a value. */
  historyFields: 100,
  historyValueLength: 1_000,
  runsMaxAgeMs: 7 * 24 * 3_600_000,
  runsMaxBytes: 1_073_741_824,
  deadMaxAgeMs: 90 * 24 * 3_600_000,
  deadMaxBytes: 268_435_456,
  /** Jobs that wait for their time, of one page. */
  jobPage: 500,
  /** Dead letters of one page. */
  deadPage: 500,
  /** Characters of an error in a list of dead letters. */
  deadListedError: 200,
  memberTtlMs: 10_000,
  /** Idle workers of one lane of a queue; the server keeps 8 bytes for each, there or not. */
  workersWaiting: 4_096,
  /** A backfill that is over can be looked at for this long. */
  backfillTtlMs: 30 * 24 * 3_600_000,
  /** Slots of a range that are counted beforehand. */
  backfillCount: 100_000,
} as const;
