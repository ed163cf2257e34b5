import { expect, it } from "vitest";
import type { RunEvent } from "../../src/core/ports.js";
import { until } from "../support/until.js";
import { job, tombstone } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

const RUN = "nightly:20260101T000000Z";
const NEXT = "nightly:20260102T000000Z";

function event(type: string, more: Partial<RunEvent> = {}): RunEvent {
  return { runId: RUN, type, msgId: `${RUN}/${type}/1`, data: { attempt: 1 }, ...more };
}

export function describeRunLog(name: string, make: MakePorts): void {
  describePort(`run log over ${name}`, make, (on) => {
    const subject = () => on().names.job("default", "nightly");
    const fire = (runId: string) =>
      job(on().names, "nightly", { msgId: `${runId}/1`, headers: headersOf(runId) });

    it("knows nothing at first", async () => {
      const { one } = on();
      expect(await one.runs.has(RUN, "started")).toBe(false);
      expect(await one.runs.hasAny(RUN, subject(), 0)).toBe(false);
      expect(await one.runs.lastSequence()).toBe(0);
    });

    it("knows an event, by its run and type, over any connection, at once", async () => {
      const { one, other } = on();
      await one.runs.append(event("started"));
      expect(await other.runs.has(RUN, "started")).toBe(true);
      expect(await other.runs.has(RUN, "succeeded")).toBe(false);
      expect(await other.runs.has(NEXT, "started")).toBe(false);
      expect(await other.runs.hasAny(RUN, subject(), 0)).toBe(true);
      expect(await other.runs.hasAny(NEXT, subject(), 0)).toBe(false);
      expect(await other.runs.lastSequence()).toBe(1);
    });

    it("takes a repeat without complaint, and keeps one", async () => {
      const { one, other } = on();
      await one.runs.append(event("started"));
      await one.runs.append(event("started"));
      await other.runs.append(event("started"));
      expect(await one.runs.lastSequence()).toBe(1);
      await one.runs.append(event("started", { msgId: `${RUN}/started/2` }));
      expect(await one.runs.lastSequence()).toBe(2);
    });

    it("finds an event wherever it lies: `from` is for the server's own records", async () => {
      const { one } = on();
      await one.runs.append(event("succeeded"));
      expect(await one.runs.hasAny(RUN, subject(), await one.runs.lastSequence())).toBe(true);
    });

    it("knows that a run was stored in WORK, even when its message is gone", async () => {
      const { one } = on();
      const stored = await one.work.publish(fire(RUN));
      if (stored.kind !== "stored") throw new Error(stored.kind);
      await one.work.remove(stored.seq);
      await until(() => one.runs.hasAny(RUN, subject(), 0));
      expect(await one.runs.hasAny(NEXT, subject(), 0)).toBe(false);
      expect(await one.runs.hasAny(RUN, on().names.job("default", "other"), 0)).toBe(false);
    });

    it("looks for the server's record only after `from`", async () => {
      const { one } = on();
      const stored = await one.work.publish(fire(RUN));
      if (stored.kind !== "stored") throw new Error(stored.kind);
      await until(() => one.runs.hasAny(RUN, subject(), 0));
      const from = await one.runs.lastSequence();
      expect(await one.runs.hasAny(RUN, subject(), from)).toBe(false);
      expect(await one.runs.hasAny(RUN, subject(), from - 1)).toBe(true);
      await one.work.remove(stored.seq);
      await one.work.publish(fire(NEXT));
      await until(() => one.runs.hasAny(NEXT, subject(), from));
      expect(await one.runs.hasAny(RUN, subject(), from)).toBe(false);
    });

    it("tells two runs of one subject apart", async () => {
      const { one } = on();
      for (const runId of [RUN, NEXT]) {
        const stored = await one.work.publish(fire(runId));
        if (stored.kind !== "stored") throw new Error(stored.kind);
        await one.work.remove(stored.seq);
      }
      await until(() => one.runs.hasAny(NEXT, subject(), 0));
      expect(await one.runs.hasAny(RUN, subject(), 0)).toBe(true);
      expect(await one.runs.hasAny("nightly:20260103T000000Z", subject(), 0)).toBe(false);
    });

    it("takes no tombstone for a trace of its run", async () => {
      const { names, one } = on();
      await one.work.publish(tombstone(names, RUN, 1));
      await until(async () => (await one.runs.lastSequence()) > 0);
      expect(await one.runs.hasAny(RUN, subject(), 0)).toBe(false);
    });

    it("takes no refused publish for a trace of its run", async () => {
      const { one } = on();
      await one.work.publish(fire(RUN));
      expect(await one.work.publish(fire(NEXT))).toEqual({ kind: "taken" });
      await until(() => one.runs.hasAny(RUN, subject(), 0));
      expect(await one.runs.hasAny(NEXT, subject(), 0)).toBe(false);
    });
  });
}

const headersOf = (runId: string) => ({ "Punctual-Run-Id": runId });
