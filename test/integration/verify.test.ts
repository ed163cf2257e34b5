/** The proof that every slot ended once, on a real server: what was deleted or doubled by hand is found. */
import { expect, onTestFinished, test } from "vitest";
import { encodeSlots } from "../../src/protocol/slot-record.js";
import { samplesOf } from "../support/samples.js";
import { until } from "../support/scene.js";
import { latch, Stage, serverOf } from "../support/stage.js";

const server = serverOf();

/** A schedule that has fired for a while, every 200 ms, and is at its end. */
async function fireForAWhile(stage: Stage) {
  const from = Date.now();
  const endAt = new Date(from + 1_600).toISOString();
  await stage.attempts("mail");
  await stage.client.schedules.put("often", { every: 200, endAt, queue: "mail", overlap: "allow" });
  await until(() => expect(Date.now()).toBeGreaterThan(from + 1_700));
  return from;
}

/** The slot records that are stored. */
async function records(stage: Stage) {
  const messages = await stage.messages(stage.names.runs, stage.names.allSlots);
  return messages.map((message) => ({
    seq: message.seq,
    subject: message.subject,
    slots: message.json<{ fired: [string, number, number | null][] }>().fired,
  }));
}

/** Resolves when nothing is open any more. */
const settled = (stage: Stage, from: number) =>
  until(async () => {
    const verification = await stage.client.schedules.verify(from, Date.now());
    expect(verification.counts.open).toBe(0);
    return verification;
  });

test("what fired is proven", async () => {
  const stage = await Stage.orchestrated(server());
  const from = await fireForAWhile(stage);
  const { verdict, counts, schedules, keptFrom } = await settled(stage, from);
  expect({ verdict, schedules, keptFrom }).toEqual({ verdict: "fine", schedules: 1, keptFrom: null });
  const told = (await records(stage)).flatMap(({ slots }) => slots);
  expect(counts.fired).toBe(told.length);
});

test("slots that were skipped are accounted for", async () => {
  const stage = await Stage.orchestrated(server());
  const from = Date.now();
  const { waited, release } = latch();
  await stage.work("slow", {}, () => waited);
  await stage.client.schedules.put("s", { every: 200, queue: "slow" });
  await stage.event("skipped");
  await stage.client.schedules.pause("s");
  const { verdict, counts } = await settled(stage, from);
  expect(verdict).toBe("fine");
  expect(counts.fired).toBe(1);
  expect(counts.skipped).toBeGreaterThan(0);
  release();
});

test("a slot record that was deleted by hand is found: by verify, and by the orchestrator itself", async () => {
  const stage = await Stage.open(server());
  const alerts: Record<string, unknown>[] = [];
  stage.raw.subscribe(stage.names.alert(">"), {
    callback: (_error, message) => void alerts.push(message.json<Record<string, unknown>>()),
  });
  await stage.raw.flush();
  const orchestrator = await stage.punctual.orchestrate({ http: 0 });
  onTestFinished(() => orchestrator.stop());
  const from = await fireForAWhile(stage);
  await settled(stage, from);
  const [, record] = await records(stage);
  await stage.jsm.streams.deleteMessage(stage.names.runs, record?.seq as number, false);
  const lost = (record?.slots ?? []).map(([, slot]) => new Date(slot).toISOString());
  const { verdict, anomalies, counts } = await stage.client.schedules.verify(from, Date.now(), "often");
  expect(verdict).toBe("amiss");
  expect(counts.anomalies).toBe(lost.length);
  expect(anomalies).toEqual(lost.map((slot) => ({ kind: "missing", scheduleId: "often", slot })));
  await until(() => expect(alerts).toHaveLength(lost.length));
  expect(alerts[0]).toMatchObject({
    rule: "slot.missing",
    state: "raised",
    scheduleId: "often",
    data: { slot: lost[0] },
  });
  const samples = samplesOf(await (await fetch(`${stage.punctual.httpUrls[0]}/metrics`)).text());
  expect(samples.get('punctual_slot_anomalies_total{kind="missing"}')).toBe(lost.length);
});

test("a slot that was put into WORK twice, or fired and told to be missed, is found", async () => {
  const stage = await Stage.orchestrated(server());
  const from = await fireForAWhile(stage);
  await settled(stage, from);
  const subject = (await records(stage))[0]?.subject as string;
  const [[id, slot, seq], [, other]] = (await records(stage)).flatMap(({ slots }) => slots) as [
    [string, number, number],
    [string, number, number],
  ];
  const fired = [{ scheduleId: id, slot, seq: seq + 1_000 }];
  const missed = { outcome: "missed", reason: "by hand", from: other, to: other, count: 1 } as const;
  const reports = [{ scheduleId: id, ...missed }];
  await stage.js.publish(subject, encodeSlots({ term: 99, fired, reports }));
  const { anomalies } = await stage.client.schedules.verify(from, Date.now());
  expect(anomalies).toEqual([
    { kind: "doubled", scheduleId: "often", slot: new Date(slot).toISOString() },
    { kind: "contradicted", scheduleId: "often", slot: new Date(other).toISOString() },
  ]);
});

test("what the history no longer keeps is unknown, not fine", async () => {
  const stage = await Stage.orchestrated(server());
  const from = await fireForAWhile(stage);
  await settled(stage, from);
  const all = await records(stage);
  await stage.jsm.streams.purge(stage.names.runs, { seq: (all[2]?.seq as number) + 1 });
  const { verdict, counts, keptFrom } = await stage.client.schedules.verify(from, Date.now());
  expect(verdict).toBe("unknown");
  expect(counts.unknown).toBeGreaterThan(0);
  expect(keptFrom).not.toBeNull();
});

test("a range that is none, and a schedule that does not exist, are refused", async () => {
  const { client } = await Stage.orchestrated(server());
  await expect(client.schedules.verify(2_000, 1_000)).rejects.toMatchObject({ code: "invalid" });
  await expect(client.schedules.verify(0, Date.now(), "none")).rejects.toMatchObject({ code: "not_found" });
});
