/** The list of jobs for later: every job once, in the order of time, however the pages are cut. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { MINUTE_MS } from "../../src/core/timer.js";
import { listJobs } from "../../src/orchestrator/job-list.js";
import { endpoints } from "../../src/protocol/api.js";
import type { JobRow } from "../../src/protocol/job-api.js";
import { timerMessage } from "../../src/protocol/timer-message.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { job, START } from "../contract/given.js";

function open() {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock, shards: 4 });
  const ports = openMemoryPorts(server);
  const { names } = ports;
  const heads = ports.timerList.heads.bind(ports.timerList);
  let read = 0;
  ports.timerList.heads = async (...asked) => {
    const found = await heads(...asked);
    read += found.length;
    return found;
  };
  const now = async <T>(asked: Promise<T>): Promise<T> => {
    await clock.pass(0);
    return asked;
  };
  const put = async (runId: string, at: number, queue = "mail") => {
    const work = {
      ...job(names, runId),
      subject: names.job(queue, runId),
      headers: { "Punctual-Run-Id": runId },
    };
    await now(ports.timers.put(timerMessage(work, at, { names, shards: 4, msgId: runId })));
  };
  const page = (request: object) =>
    listJobs({ ...ports, clock }, endpoints["job.list"].request.parse(request));
  const pages = async (request: object): Promise<JobRow[][]> => {
    const found: JobRow[][] = [];
    let after: string | undefined;
    do {
      const { jobs, next } = await page({ ...request, ...(after !== undefined && { after }) });
      found.push(jobs);
      after = next ?? undefined;
    } while (after !== undefined);
    return found;
  };
  return { ports, put, page, pages, read: () => read };
}

test("every job that is meant is on one page, those of a minute after those of the minute before", async () => {
  const timers = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 59_999 }), fc.boolean()),
    {
      maxLength: 40,
    },
  );
  await fc.assert(
    fc.asyncProperty(timers, fc.integer({ min: 1, max: 9 }), async (all, limit) => {
      const { put, pages } = open();
      for (const [i, [minute, ms, isMail]] of all.entries())
        await put(`j${i}`, START + minute * MINUTE_MS + ms, isMail ? "mail" : "other");
      for (const queue of [undefined, "mail"]) {
        const found = await pages({ limit, ...(queue && { queue }) });
        const rows = found.flat();
        const meant = all.flatMap(([, , isMail], i) => (queue === undefined || isMail ? [`j${i}`] : []));
        expect(rows.map(({ runId }) => runId).sort()).toEqual(meant.sort());
        const minutes = rows.map(({ at }) => Math.floor((Date.parse(at) - START) / MINUTE_MS));
        expect(minutes).toEqual([...minutes].sort((a, b) => a - b));
        for (const rows of found) {
          expect(rows.length).toBeLessThanOrEqual(limit);
          expect(rows.map(({ at }) => at)).toEqual(rows.map(({ at }) => at).sort());
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("a page is of the times that are asked for, and says what is known of each job", async () => {
  const { put, page } = open();
  for (let i = 0; i < 5; i++) await put(`j${i}`, START + i * 10_000);
  const range = { from: new Date(START + 10_000).toISOString(), to: new Date(START + 30_000).toISOString() };
  const { jobs, next } = await page(range);
  expect(jobs.map(({ runId }) => runId)).toEqual(["j1", "j2", "j3"]);
  expect(next).toBeNull();
  expect(jobs[0]).toEqual({
    timer: expect.stringMatching(/^j1@\d{8}T\d{6}(\d{3})?Z$/),
    runId: "j1",
    queue: "mail",
    at: range.from,
    lane: "work",
    key: null,
    labels: {},
    scheduleId: null,
    attempts: 0,
  });
});

test("a page of a large crowd reads little of it, and one that matches little gives up and says where to go on", async () => {
  const { put, page, read } = open();
  for (let i = 0; i < 6_000; i++) await put(`j${i}`, START);
  expect((await page({ limit: 10 })).jobs).toHaveLength(10);
  expect(read()).toBe(10);
  const { jobs, next } = await page({ limit: 500, queue: "none" });
  expect(jobs).toEqual([]);
  expect(next).not.toBeNull();
  expect(read()).toBeLessThan(5_600);
});

test("jobs that come to a minute while it is read are not passed over for the next minute's", async () => {
  const { ports, put, page } = open();
  await put("first", START, "other");
  await put("next", START + MINUTE_MS);
  const crowds = ports.timerList.crowds.bind(ports.timerList);
  ports.timerList.crowds = async (range) => {
    const found = await crowds(range);
    if (range.from < START) for (const id of ["second", "third"]) await put(id, START);
    return found;
  };
  const asked = { limit: 1, queue: "mail", from: new Date(START - 1).toISOString() };
  const { jobs } = await page(asked);
  expect(jobs.map(({ runId }) => runId)).toEqual(["second"]);
});
