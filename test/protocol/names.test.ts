import { describe, expect, it } from "vitest";
import { limits } from "../../src/protocol/limits.js";
import {
  checkJobId,
  checkNamespace,
  checkQueue,
  checkScheduleId,
  instantToken,
  isRunId,
  namesOf,
  parseRunId,
  runIdOf,
} from "../../src/protocol/names.js";
import { parseJobSubject } from "../../src/protocol/subjects.js";

const names = namesOf("shop");
const FIRE_TIME = Date.UTC(2026, 10, 24, 3);

describe("what may be a name", () => {
  it.each([
    ["namespace", checkNamespace, ["a", "shop-2", "a".repeat(32)]],
    ["queue", checkQueue, ["a", "0", "Mail_out=1-x", "q".repeat(64)]],
    ["id", checkScheduleId, ["a", "nightly-2", "s".repeat(128)]],
    ["jobId", checkJobId, ["a", "order:17", "j".repeat(128)]],
  ] as const)("%s", (_field, check, good) => {
    for (const name of good) expect(check(name)).toBe(name);
  });

  it.each([
    ["namespace", checkNamespace, ["", "A", "2a", "-a", "a_b", "a.b", "a b", "a".repeat(33), 5]],
    ["queue", checkQueue, ["", "_void", "-a", "a.b", "a*", "a>", "a b", "ü", "a:b", "q".repeat(65), null]],
    ["id", checkScheduleId, ["", "_a", "a.b", "a:b", "a/b", "a\n", "s".repeat(129), undefined]],
    ["jobId", checkJobId, ["", ":a", "a.b", "a b", "j".repeat(129), {}]],
  ] as const)("%s: what may not says the field, what was expected and what came", (field, check, bad) => {
    for (const name of bad) {
      const came = typeof name === "string" ? JSON.stringify(name.slice(0, 80)) : typeof name;
      expect(() => check(name)).toThrow(
        new RegExp(`^${field}: expected 1 to \\d+ characters of .*got `, "s"),
      );
      try {
        check(name);
      } catch (error) {
        expect(error).toMatchObject({ code: "invalid", issues: [{ path: field }] });
        expect((error as Error).message.endsWith(`got ${came}`)).toBe(true);
      }
    }
  });

  it("takes the field from the caller", () => {
    expect(() => checkJobId("a.b", "Punctual-Unique")).toThrow(/^Punctual-Unique: /);
  });
});

describe("run ids", () => {
  it("are the schedule id and the fire time, as one token", () => {
    expect(runIdOf("nightly", FIRE_TIME)).toBe("nightly:20261124T030000Z");
    expect(runIdOf("nightly", FIRE_TIME + 1)).toBe("nightly:20261124T030000001Z");
    expect(instantToken(0)).toBe("19700101T000000Z");
  });

  it("differ for every slot, also when asked in turn", () => {
    const slots = [0, 1, 1_000, 60_000, 0, 1, 1_000, 60_000];
    const ids = slots.map((slot) => runIdOf("a", slot));
    expect(new Set(ids).size).toBe(4);
    expect(ids.slice(4)).toEqual(ids.slice(0, 4));
  });

  it("are valid for the longest schedule id", () => {
    expect(isRunId(runIdOf("s".repeat(limits.scheduleIdLength), FIRE_TIME + 1))).toBe(true);
    for (const text of ["", "a.b", "a b", "a/1", ":a", "x".repeat(limits.scheduleIdLength + 33)]) {
      expect(isRunId(text)).toBe(false);
    }
  });
});

describe("names on the wire", () => {
  it("all carry the namespace", () => {
    const { namespace, laneSubjects, ...rest } = names;
    expect([namespace, laneSubjects("work")]).toEqual(["shop", "shop.work.>"]);
    const args = ["q", "0", "x"] as const;
    const made = Object.entries(rest)
      .filter(
        ([name]) =>
          !/^(consumer|gateConsumer|intakeConsumer|deadLetterConsumer|failureConsumer|.*Key|leaseKeyPrefix)$/.test(
            name,
          ),
      )
      .flatMap(([, value]) => (typeof value === "function" ? Reflect.apply(value, names, args) : value))
      .flatMap((value) => (typeof value === "object" ? Object.values(value as object) : value));
    for (const name of made) expect(String(name).toLowerCase()).toContain("shop");
  });

  it("are those of the protocol", () => {
    expect(names.work).toBe("SHOP_WORK");
    expect(names.schedules).toEqual({ bucket: "shop_schedules", stream: "KV_shop_schedules" });
    expect(names.job("mail", "nightly")).toBe("shop.work.mail.nightly");
    expect(names.job("mail", "a", "high")).toBe("shop.high.mail.a");
    expect(names.tombstone("a:20261124T030000Z", 3)).toBe("shop.work._void.a:20261124T030000Z.3");
    expect(names.queued(names.job("mail", "a"))).toBe("shop.queued.shop.work.mail.a");
    expect(names.runEvent("a:1", "started")).toBe("shop.run.a:1.started");
    expect(names.scheduleKey(3, "a")).toBe("3.a");
    expect(names.leaseKey(3)).toBe("shard.3");
    expect(names.consumer("mail")).toBe("work-mail");
  });

  it("refuse a namespace that cannot be one", () => {
    expect(() => namesOf("Shop")).toThrow(/^namespace: expected/);
  });
});

describe("reading a subject in WORK", () => {
  it("finds lane, queue and key", () => {
    expect(parseJobSubject("shop.work.mail.a.20261124T030000Z")).toEqual({
      lane: "work",
      queue: "mail",
      key: "a.20261124T030000Z",
    });
    expect(parseJobSubject("shop.low.mail.a")).toEqual({ lane: "low", queue: "mail", key: "a" });
  });

  it.each([names.tombstone("a:1", 1), "shop.run.a.started", "shop.work.mail", "shop.work", "shop", ""])(
    "%j is no job",
    (subject) => {
      expect(parseJobSubject(subject)).toBeNull();
    },
  );
});

describe("run ids", () => {
  it.each([0, Date.UTC(2026, 10, 24, 3), Date.UTC(2026, 10, 24, 3) + 7])("are read back: %d", (slot) => {
    expect(parseRunId(runIdOf("nightly", slot))).toEqual({ scheduleId: "nightly", slot });
  });

  it.each([
    "nightly:manual-1",
    "order-17",
    "a:b:20261124T030000Z",
    ":20261124T030000Z",
    "a:20261399T030000Z",
  ])("stand for no slot: %s", (runId) => {
    expect(parseRunId(runId)).toBeNull();
  });
});
