/** What others may write past every check must not end anything, nor be tried for ever. */
import { describe, expect, test } from "vitest";
import { headers as h } from "../../src/protocol/headers.js";
import { NonRetryableError } from "../../src/worker/errors.js";
import { until } from "../support/scene.js";
import { expectRefusal, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

describe("what is nearly too large", () => {
  test("at the front door goes to the dead letters, as far as it fits, and does not stay", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.js.publish(stage.names.enqueue("q"), "x".repeat(1_048_560));
    const letter = await stage.deadLetter("q");
    expect(letter.header(h.error)).toMatch(/^payload: expected at most 1032192 bytes, got 1048560$/);
    expect(letter.header(h.bodyBytes)).toBe("1048560");
    expect(letter.body.length).toBeGreaterThan(1_040_000);
    await until(async () => expect(await stage.messages(stage.names.intake)).toEqual([]));
  });

  test("still fits into a dead letter: rather without a stack than never", async () => {
    const stage = await Stage.open(server());
    await stage.attempts("q", () => {
      const error = new NonRetryableError("e".repeat(9_000));
      error.stack += "s".repeat(9_000);
      throw error;
    });
    await stage.client.enqueue({ queue: "q", payload: "x".repeat(1_032_190) });
    const letter = await stage.deadLetter("q");
    await stage.workIsEmpty();
    expect(letter.body).toHaveLength(1_032_192);
    expect(letter.header(h.error)).toMatch(/^e{8192}$/);
  });
});

describe("garbage among the advisories", () => {
  test("is given up: it does not come again and again", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.js.publish(`$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stage.names.work}.x`, "{oops");
    await until(async () => {
      const { runs, deadLetterConsumer } = stage.names;
      const { delivered, num_ack_pending } = await stage.jsm.consumers.info(runs, deadLetterConsumer);
      expect([delivered.consumer_seq, num_ack_pending]).toEqual([1, 0]);
    });
  });
});

describe("garbage in the buckets", () => {
  test("among the schedules does not end an orchestrator: the others fire", async () => {
    const stage = await Stage.orchestrated(server());
    const { bucket } = stage.names.schedules;
    const put = (key: string, text: string) => stage.js.publish(`$KV.${bucket}.${key}`, text);
    await put("0.garbage", "{oops");
    await put("1.wrong", '{"spec":{"kind":"moon"}}');
    await put("nonsense", "");
    const seen = await stage.attempts("default");
    await stage.client.schedules.put("good", { every: "200ms" });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(2));

    const second = await stage.punctual.orchestrate();
    const ids: string[] = [];
    for await (const { id } of stage.client.schedules.list()) ids.push(id);
    expect(ids).toEqual(["good"]);
    await second.stop();
  });

  test("in the place of a schedule is replaced by a put, and goes with a delete; what asks for a revision is refused", async () => {
    const stage = await Stage.orchestrated(server());
    const { schedules } = stage.client;
    const { bucket } = stage.names.schedules;
    for (const id of ["a", "b"]) {
      const { shard } = await schedules.put(id, { every: "1d" });
      await stage.js.publish(`$KV.${bucket}.${shard}.${id}`, "{oops");
      await expectRefusal(schedules.get(id), "invalid", /stored .*expected JSON/);
      await expectRefusal(schedules.pause(id), "invalid", /stored .*expected JSON/);
      await expectRefusal(schedules.put(id, { every: "1d" }, { ifRevision: 1 }), "invalid", /stored/);
    }
    const put = await schedules.put("a", { every: "2d" });
    expect(await schedules.get("a")).toEqual(put);
    await schedules.delete("b");
    await expectRefusal(schedules.get("b"), "not_found", /schedule b does not exist/);
    await expectRefusal(schedules.delete("b"), "not_found", /schedule b does not exist/);
    const ids: string[] = [];
    for await (const { id } of schedules.list()) ids.push(id);
    expect(ids).toEqual(["a"]);
    expect((await schedules.put("b", { every: "1d" })).id).toBe("b");
  });

  test("among the backfills does not hide the others", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.client.schedules.put("s", { cron: "0 3 * * *" });
    const range = { from: new Date("2026-01-01T00:00:00Z"), to: new Date("2026-01-03T00:00:00Z") };
    const { id } = await stage.client.backfills.start("s", range);
    await stage.js.publish(`$KV.${stage.names.backfills.bucket}.garbage`, "{oops");
    expect((await stage.client.backfills.list()).map((backfill) => backfill.id)).toEqual([id]);
  });

  test("among the members does not end an orchestrator", async () => {
    const stage = await Stage.orchestrated(server());
    await stage.js.publish(`$KV.${stage.names.members.bucket}.orchestrator.x`, "{oops");
    await stage.js.publish(`$KV.${stage.names.members.bucket}.worker.y`, '"text"');
    const seen = await stage.attempts("default");
    await stage.client.schedules.put("good", { every: "200ms" });
    await until(() => expect(seen.length).toBeGreaterThanOrEqual(2));
    expect((await stage.punctual.members()).map(({ role }) => role).sort()).toEqual([
      "orchestrator",
      "worker",
    ]);
  });
});
