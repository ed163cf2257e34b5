import { expect, test } from "vitest";
import { parseCrontab } from "../../src/cli/crontab/parse.js";
import { planImport } from "../../src/cli/crontab/plan.js";
import type { ScheduleView } from "../../src/protocol/api.js";
import {
  definitionOf,
  inputOf,
  type ScheduleInput,
  scheduleInput,
} from "../../src/protocol/schedule-input.js";

const jobOf = (line: string) => parseCrontab(line)[0]!;

/** What the API shows of a schedule that was put. */
function storedAs(id: string, input: ScheduleInput): ScheduleView {
  const context = { now: 0, queueMaxAttempts: 5, firstRevision: 0 };
  const schedule = inputOf(definitionOf(scheduleInput.parse(input), context)) as Record<string, unknown>;
  return { id, revision: 42, shard: 0, schedule, nextFireTime: null };
}

test("what is not there is created, and only then", () => {
  const job = jobOf("0 3 * * * backup");
  const schedule = { ...job.schedule, overlap: "allow" };
  expect(planImport(job, null)).toEqual({ job, action: "created", schedule, ifRevision: 0 });
});

test("what is there already stays unchanged", () => {
  const job = jobOf("0 3 * * * backup");
  expect(planImport(job, storedAs(job.id, job.schedule)).action).toBe("unchanged");
});

test("an interval that is there already stays unchanged, whatever the zone", () => {
  const job = jobOf("CRON_TZ=Europe/Berlin\n@every  10m backup");
  expect(job.schedule).toMatchObject({ every: "10m" });
  expect(planImport(job, storedAs(job.id, job.schedule)).action).toBe("unchanged");
  const line = jobOf("0 3 * * * backup");
  expect(planImport(job, storedAs(job.id, line.schedule)).action).toBe("updated");
});

test.each([
  ["times", "0 4 * * * backup"],
  ["time zone", "CRON_TZ=Europe/Berlin\n0 3 * * * backup"],
  ["environment", "A=1\n0 3 * * * backup"],
])("another %s is an update of the revision that was read", (_, text) => {
  const before = jobOf("0 3 * * * backup");
  const after = jobOf(text);
  expect(after.id).toBe(before.id);
  const step = planImport(after, storedAs(before.id, before.schedule));
  expect(step).toMatchObject({ action: "updated", ifRevision: 42, schedule: after.schedule });
});

test("a pause and a retry policy that somebody set survive an update", () => {
  const before = jobOf("0 3 * * * backup");
  const own = { paused: true, note: "moving house", retry: { maxAttempts: 2 }, overlap: "allow" } as const;
  const stored = storedAs(before.id, { ...before.schedule, ...own });
  expect(planImport(before, stored).action).toBe("unchanged");
  const { action, schedule } = planImport(jobOf("0 4 * * * backup"), stored);
  expect(action).toBe("updated");
  expect(schedule).toMatchObject({ paused: true, note: "moving house", overlap: "allow", cron: "0 4 * * *" });
  expect(schedule.retry?.maxAttempts).toBe(2);
});

test("a schedule of another kind under the id becomes a cron line", () => {
  const job = jobOf("0 3 * * * backup");
  const { action, schedule } = planImport(job, storedAs(job.id, { every: "5m", phase: "1m" }));
  expect(action).toBe("updated");
  expect(scheduleInput.safeParse(schedule).success).toBe(true);
});
