/** Jobs that wait for their time, page by page. No page looks at more than a bounded number of them. */
import type { Clock } from "../core/ports.js";
import { MINUTE_MS } from "../core/timer.js";
import type { Crowd, TimerHead, TimerList } from "../core/timer-list.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import { headers as h } from "../protocol/headers.js";
import type { JobRow } from "../protocol/job-api.js";
import { decodeLabels } from "../protocol/label-input.js";
import { parseJobSubject } from "../protocol/names.js";
import { timerIdOf } from "../protocol/timer-message.js";

export interface JobListPorts {
  clock: Clock;
  timerList: TimerList;
}

/** Jobs looked at for one page, the last minute's on top. */
const MOST_LOOKED = 5_000;
/** Minutes read at once. */
const TOGETHER = 8;
/** What is due for longer was fired, or no orchestrator is there to answer. */
const DEFAULT_PAST_MS = 86_400_000;
const LAST = Date.UTC(9_999, 11, 31, 23, 59, 59, 999);

/** The last job that was looked at. */
interface Place {
  minute: number;
  seq: number;
}

type Request = ApiParsed<"job.list">;

export async function listJobs(
  { clock, timerList }: JobListPorts,
  request: Request,
): Promise<ApiResponse<"job.list">> {
  const { limit, to = LAST, from = clock.now() - DEFAULT_PAST_MS } = request;
  let place = placeOf(request.after);
  const jobs: JobRow[] = [];
  let looked = 0;
  while (looked < MOST_LOOKED) {
    const crowds = await timerList.crowds({ from: place?.minute ?? from, to, enough: limit + 1 });
    const last = crowds.at(-1);
    if (last === undefined) return { jobs: inOrder(jobs), next: null };
    const rest = await pageOf(timerList, crowds, place, limit);
    if (rest.length === 0) place = { minute: last.minute + MINUTE_MS, seq: 0 };
    for (const head of rest) {
      if (jobs.length === limit) break;
      place = { minute: head.minute, seq: head.seq };
      looked++;
      const row = rowOf(head);
      if (row !== null && head.at >= from && head.at <= to && isOf(request.queue, row)) jobs.push(row);
    }
    if (jobs.length === limit) break;
  }
  return { jobs: inOrder(jobs), next: place === null ? null : `${place.minute}-${place.seq}` };
}

type Placed = TimerHead & { minute: number };

/** What comes next after a place, in order. */
async function pageOf(
  timerList: TimerList,
  crowds: readonly Crowd[],
  place: Place | null,
  limit: number,
): Promise<Placed[]> {
  const found: Placed[] = [];
  for (let i = 0; i < crowds.length && found.length < limit; i += TOGETHER) {
    const read = crowds.slice(i, i + TOGETHER).map(async ({ minute }) => {
      const heads = await timerList.heads(minute, minute === place?.minute ? place.seq : 0, limit);
      return heads.map((head) => ({ ...head, minute }));
    });
    for (const heads of await Promise.all(read)) {
      found.push(...heads);
      // There may be more of this minute: some have come since they were counted.
      if (heads.length >= limit) return found;
    }
  }
  return found;
}

/** Null for what is no job: anyone can publish. */
function rowOf(head: TimerHead): JobRow | null {
  const { runId, at, headers } = head;
  const place = parseJobSubject(headers[h.subject] ?? "");
  if (place === null) return null;
  return {
    timer: timerIdOf(head),
    runId,
    queue: place.queue,
    at: new Date(at).toISOString(),
    lane: place.lane,
    key: headers[h.key] ?? null,
    labels: decodeLabels(headers[h.labels]),
    scheduleId: headers[h.scheduleId] ?? null,
    attempts: Number(headers[h.attemptsBefore] ?? 0) || 0,
  };
}

const isOf = (queue: string | undefined, row: JobRow): boolean => queue === undefined || row.queue === queue;

/** Within a minute they lie as they were stored. */
const inOrder = (jobs: JobRow[]): JobRow[] => jobs.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));

function placeOf(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null;
  const [minute, seq] = cursor.split("-").map(Number) as [number, number];
  return { minute, seq };
}
