/** Jobs that wait for their time, page by page. No page looks at more than a bounded number of them. */
import type { Clock } from "../core/ports.js";
import type { Crowd, TimerHead, TimerList } from "../core/timer-list.js";
import type { ApiParsed, ApiResponse } from "../protocol/api.js";
import { headers as h } from "../protocol/headers.js";
import type { JobRow } from "../protocol/job-api.js";
import { decodeLabels } from "../protocol/label-input.js";
import { parseJobSubject } from "../protocol/subjects.js";
import { timerIdOf } from "../protocol/timer-message.js";

export interface JobListPorts {
  clock: Clock;
  timerList: TimerList;
}

/** Jobs looked at for one page, and at once where only some of them are meant. */
const MOST_LOOKED = 5_000;
const SOUGHT = 1_000;
/** A page that is not full by then goes on in the next. */
const PAGE_MS = 1_000;
/** Crowds read at once. */
const TOGETHER = 32;
/** What is due for longer was fired, or no orchestrator is there to answer. */
const DEFAULT_PAST_MS = 86_400_000;
const LAST = Date.UTC(9_999, 11, 31, 23, 59, 59, 999);

/** The last job that was looked at. */
interface Place {
  minute: number;
  shard: number;
  seq: number;
}

type Request = ApiParsed<"job.list">;

export async function listJobs(
  { clock, timerList }: JobListPorts,
  request: Request,
): Promise<ApiResponse<"job.list">> {
  const { limit, queue, to = LAST, from = clock.now() - DEFAULT_PAST_MS } = request;
  const most = queue === undefined ? limit : SOUGHT;
  const isMeant = (row: JobRow, at: number) =>
    at >= from && at <= to && (queue === undefined || row.queue === queue);
  const until = clock.monotonic() + PAGE_MS;
  let place = placeOf(request.after);
  const jobs: JobRow[] = [];
  for (let looked = 0; looked < MOST_LOOKED && jobs.length < limit && clock.monotonic() < until; ) {
    const start = { from: place?.minute ?? from, fromShard: place?.shard ?? 0 };
    const crowds = await timerList.crowds({ ...start, to, enough: most + 1 });
    const last = crowds.at(-1);
    if (last === undefined) return { jobs: inOrder(jobs), next: null };
    const heads = await nextHeads(timerList, crowds, place, most);
    if (heads.length === 0) place = { minute: last.minute, shard: last.shard + 1, seq: 0 };
    for (const head of heads) {
      if (jobs.length === limit) break;
      place = { minute: head.minute, shard: head.shard, seq: head.seq };
      looked++;
      const row = rowOf(head);
      if (row !== null && isMeant(row, head.at)) jobs.push(row);
    }
    const counted = crowds.reduce((sum, { count }) => sum + count, 0);
    // These were all that there are.
    if (counted <= most && heads.length < most && jobs.length < limit)
      return { jobs: inOrder(jobs), next: null };
  }
  return { jobs: inOrder(jobs), next: place === null ? null : cursorOf(place) };
}

type Placed = TimerHead & Pick<Crowd, "minute" | "shard">;

/** What comes next after a place, in order; about so many. */
async function nextHeads(
  timerList: TimerList,
  crowds: readonly Crowd[],
  place: Place | null,
  most: number,
): Promise<Placed[]> {
  const found: Placed[] = [];
  for (let i = 0; i < crowds.length && found.length < most; i += TOGETHER) {
    const read = crowds.slice(i, i + TOGETHER).map(async (crowd) => {
      const { minute, shard } = crowd;
      const isBegun = minute === place?.minute && shard === place.shard;
      const heads = await timerList.heads(crowd, isBegun ? place.seq : 0, most);
      return heads.map((head) => ({ ...head, minute, shard }));
    });
    for (const heads of await Promise.all(read)) {
      found.push(...heads);
      // There may be more of this minute: some have come since they were counted.
      if (heads.length >= most) return found;
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

/** Within a minute they lie as they were stored. */
const inOrder = (jobs: JobRow[]): JobRow[] => jobs.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));

const cursorOf = ({ minute, shard, seq }: Place): string => `${minute}-${shard}-${seq}`;

function placeOf(cursor: string | undefined): Place | null {
  if (cursor === undefined) return null;
  const [minute, shard, seq] = cursor.split("-").map(Number) as [number, number, number];
  return { minute, shard, seq };
}
