import { expect, it } from "vitest";
import { lanes } from "../../src/core/lane.js";
import { until } from "../support/until.js";
import { job } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeRunEnds(name: string, make: MakePorts): void {
  describePort(`ends of runs over ${name}`, make, (on) => {
    it.each(lanes)("are hinted at when a worker acknowledges in lane %s, with no events", async (lane) => {
      const { names, one, other, pass } = on();
      await other.queues.ensure("mail");
      const message = { ...job(names, "a"), subject: names.job("mail", "a", lane) };
      const stored = await one.work.publish(message);
      const seq = stored.kind === "stored" ? stored.seq : 0;
      let hints = 0;
      const others: string[] = [];
      one.ends.listen({ runId: "a", queue: "mail", seq }, () => hints++);
      one.ends.listen({ runId: "b", queue: "mail", seq: seq + 1 }, () => others.push("b"));
      await one.runs.lastSequence(); // the server has heard
      expect(hints).toBe(0);
      await other.source.consume("mail", { concurrency: 1, onDelivery: (delivery) => delivery.ack() });
      await until(async () => {
        await pass(10);
        return hints > 0;
      });
      expect(others).toEqual([]);
      expect(await one.work.lastOn(message.subject)).toBeNull();
    });
  });
}

export function describeCancellations(name: string, make: MakePorts): void {
  describePort(`cancellations over ${name}`, make, (on) => {
    it("reach those who listen, on any connection, until they stop", async () => {
      const { one, other } = on();
      const heard: string[] = [];
      const subscription = other.cancellations.listen((runId) => {
        heard.push(runId);
        return false;
      });
      await other.runs.lastSequence(); // the server has heard
      one.cancellations.request("nightly:20260101T000000Z");
      await until(() => heard.length > 0);
      expect(heard).toEqual(["nightly:20260101T000000Z"]);
      await subscription.stop();
      await other.runs.lastSequence();
      one.cancellations.request("nightly:20260102T000000Z");
      await one.runs.lastSequence();
      await other.runs.lastSequence();
      expect(heard).toHaveLength(1);
    });

    it("are answered by whoever has the run", async () => {
      const { one, other } = on();
      expect(await one.cancellations.ask("a", 1_000)).toBe(false);
      const subscription = other.cancellations.listen((runId) => runId === "a");
      await other.runs.lastSequence(); // the server has heard
      expect(await one.cancellations.ask("a", 1_000)).toBe(true);
      expect(await one.cancellations.ask("b", 50)).toBe(false);
      await subscription.stop();
    });
  });
}
