/** Open breaches are told once when they begin and once when they are over, whoever looks and whatever crashes. */
import { describe, expect, it } from "vitest";
import { type Alert, type AlertCourier, type Breach, OF_NOTHING } from "../../src/core/alert.js";
import { silentTelemetry } from "../../src/core/telemetry.js";
import { AlertKeeper } from "../../src/orchestrator/alert-keeper.js";
import { silentLogger } from "../../src/runtime/log.js";
import type { Faults } from "../../src/testing/faults.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

const deep: Breach = {
  ...OF_NOTHING,
  rule: "deep",
  kind: "queue-deep",
  target: "queue.mail",
  text: "deep",
  data: {},
};
const late: Breach = { ...deep, rule: "late", kind: "late", target: "schedule.a", since: START - 1_000 };
const ALL = () => true;

/** A server, and what was told by whom. */
function world(faults: Faults = {}) {
  const clock = new ManualClock(START);
  const server = new MemoryServer({ clock });
  server.faults = faults;
  const told: string[] = [];
  const alerts: Alert[] = [];
  const counts: (Record<string, number> | null)[] = [];
  const telemetry = {
    ...silentTelemetry,
    alertsOpen: (open: ReadonlyMap<string, number> | null) =>
      void counts.push(open === null ? null : Object.fromEntries(open)),
  };
  /** An orchestrator; `raise` may fail as a connection does. */
  const keeper = (
    name: string,
    raise: (alert: Alert) => void = () => {},
    termOf: () => number | null = () => 1,
    courier?: AlertCourier,
  ) => {
    const ports = openMemoryPorts(server);
    const bus = {
      raise: async (alert: Alert) => {
        raise(alert);
        told.push(`${name} ${alert.rule} ${alert.state}`);
        alerts.push(alert);
      },
    };
    return new AlertKeeper({ ...ports, alerts: bus, courier, clock, telemetry, log: silentLogger }, termOf);
  };
  const look = async (keeping: AlertKeeper, ...found: Breach[]) => {
    const term = await keeping.ready();
    if (term !== null) await keeping.settle({ term, found, covers: ALL });
  };
  const stored = async () => (await openMemoryPorts(server).alertStore.list("state")).map(({ name }) => name);
  return { clock, server, told, alerts, counts, keeper, look, stored };
}

describe("a breach", () => {
  it("is told once when it begins, once when it is over, and leaves nothing behind", async () => {
    const { told, counts, keeper, look, stored } = world();
    const a = keeper("a");
    await look(a, deep);
    await look(a, deep, late);
    await look(a, late);
    await look(a, late);
    expect(told).toEqual(["a deep raised", "a late raised", "a deep over"]);
    expect(await stored()).toEqual(["late.schedule.a"]);
    expect(counts.at(-1)).toEqual({ late: 1 });
    await look(a);
    expect(told.at(-1)).toBe("a late over");
    expect(await stored()).toEqual([]);
  });

  it("has an id that says which, when it was found, and in which state", async () => {
    const { clock, alerts, keeper, look } = world();
    const a = keeper("a");
    await look(a, deep, late);
    await clock.pass(60_000);
    await look(a, late);
    expect(alerts.map(({ id }) => id)).toEqual([
      "deep/queue.mail/2026-01-01T00:00:00.000Z/raised",
      "late/schedule.a/2026-01-01T00:00:00.000Z/raised",
      "deep/queue.mail/2026-01-01T00:00:00.000Z/over",
    ]);
    expect(alerts[2]).toMatchObject({ since: START, at: START + 60_000, text: "deep" });
    for (const kept of ["target", "isTold", "unsent", "raisedAt"]) expect(alerts[2]).not.toHaveProperty(kept);
  });

  it("that comes back is told anew", async () => {
    const { told, keeper, look } = world();
    const a = keeper("a");
    await look(a, deep);
    await look(a);
    await look(a, deep);
    expect(told).toEqual(["a deep raised", "a deep over", "a deep raised"]);
  });

  it("that comes back, as old as it was, is another one: who goes by ids hears of it", async () => {
    const { clock, alerts, keeper, look } = world();
    const a = keeper("a");
    for (const found of [[late], [], [late], []]) {
      await look(a, ...found);
      await clock.pass(5_000);
    }
    expect(alerts.map(({ rule, state }) => `${rule} ${state}`)).toEqual([
      ...["late raised", "late over", "late raised", "late over"],
    ]);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(4);
    expect(new Set(alerts.map(({ since }) => since))).toEqual(new Set([late.since]));
  });

  it("of which only the coming is of interest is forgotten without a word", async () => {
    const { told, keeper, stored, look } = world();
    const a = keeper("a");
    await look(a, deep);
    await a.settle({ term: 1, found: [], covers: ALL, isOver: () => false });
    expect(told).toEqual(["a deep raised"]);
    expect(await stored()).toEqual([]);
  });

  it("that nobody looked at stays open", async () => {
    const { told, keeper, look } = world();
    const a = keeper("a");
    await look(a, deep, late);
    await a.settle({ term: 1, found: [], covers: ({ rule }) => rule === "late" });
    expect(told).toEqual(["a deep raised", "a late raised", "a late over"]);
  });
});

describe("after a takeover", () => {
  it("what was told is not told again, and its end is told by the successor", async () => {
    const { told, keeper, look } = world();
    await look(keeper("a"), deep);
    const b = keeper("b");
    await look(b, deep);
    await look(b);
    expect(told).toEqual(["a deep raised", "b deep over"]);
  });

  it("what was found and not told is told, under the same id", async () => {
    const { clock, alerts, keeper, look } = world();
    const ids: string[] = [];
    const dying = keeper("a", ({ id }) => {
      ids.push(id);
      throw new Error("the connection was closed");
    });
    await expect(look(dying, deep)).rejects.toThrow("closed");
    await clock.pass(5_000);
    await look(keeper("b"), deep);
    expect(alerts.map(({ id }) => id)).toEqual(ids);
  });

  it("what was found, not told, and is over, is told to have been and to be over", async () => {
    const { told, keeper, look, stored } = world();
    const dying = keeper("a", () => {
      throw new Error("the connection was closed");
    });
    await expect(look(dying, deep)).rejects.toThrow("closed");
    await look(keeper("b"));
    expect(told).toEqual(["b deep raised", "b deep over"]);
    expect(await stored()).toEqual([]);
  });

  it("an end that was not told is told", async () => {
    const { told, keeper, look, stored } = world();
    const dying = keeper("a", ({ state }) => {
      if (state === "over") throw new Error("the connection was closed");
    });
    await look(dying, deep);
    await expect(look(dying)).rejects.toThrow("closed");
    await look(keeper("b"));
    expect(told).toEqual(["a deep raised", "b deep over"]);
    expect(await stored()).toEqual([]);
  });

  it("of two that find the same at once one tells", async () => {
    const { told, keeper, look } = world();
    const [a, b] = [keeper("a"), keeper("b")];
    await Promise.all([a.ready(), b.ready()]);
    await Promise.all([look(a, deep), look(b, deep)]);
    expect(told.filter((text) => text.endsWith("raised"))).toHaveLength(1);
    await look(b);
    await look(a);
    expect(told.filter((text) => text.endsWith("over"))).toHaveLength(1);
  });

  it("whoever may not act tells nothing and knows nothing; a new term begins with what is stored", async () => {
    const { told, counts, keeper, look } = world();
    let term: number | null = null;
    const a = keeper("a", undefined, () => term);
    await look(a, deep);
    expect(told).toEqual([]);
    await look(keeper("b"), deep);
    term = 2;
    await look(a, deep);
    expect(told).toEqual(["b deep raised"]);
    term = null;
    await look(a, deep);
    expect(a.open).toEqual([]);
    expect(counts.at(-1)).toBeNull();
  });
});

describe("a look that took longer than the term", () => {
  it("says nothing: neither that something is wrong, nor that it is over", async () => {
    const { told, keeper, look, stored } = world();
    let term: number | null = 1;
    const a = keeper("a", undefined, () => term);
    await look(a, deep);
    term = 3;
    await a.settle({ term: 1, found: [late], covers: ALL });
    term = null;
    await a.settle({ term: 1, found: [late], covers: ALL });
    expect(told).toEqual(["a deep raised"]);
    expect(await stored()).toEqual(["deep.queue.mail"]);
  });

  it("ends where the term ends", async () => {
    const { told, keeper, look } = world();
    let term: number | null = 1;
    const a = keeper(
      "a",
      () => {
        term = null;
      },
      () => term,
    );
    await look(a, deep, late);
    expect(told).toEqual(["a deep raised"]);
  });
});

describe("those who are called", () => {
  /** A courier that fails so many times. */
  function courierThat(fails: number) {
    const sent: string[] = [];
    let left = fails;
    const courier: AlertCourier = {
      async send({ rule, state }) {
        if (left-- > 0) throw new Error("the queue is full");
        sent.push(`${rule} ${state}`);
      },
    };
    return { sent, courier };
  }

  it("are called once; that they could not be does not keep the others from being told, nor tells them again", async () => {
    const { told, keeper, look, stored } = world();
    const { sent, courier } = courierThat(2);
    const a = keeper("a", undefined, undefined, courier);
    await look(a, deep);
    await look(a, deep);
    expect([told, sent]).toEqual([["a deep raised"], []]);
    await look(a, deep);
    await look(a, deep);
    await look(a);
    expect(told).toEqual(["a deep raised", "a deep over"]);
    expect(sent).toEqual(["deep raised", "deep over"]);
    expect(await stored()).toEqual([]);
  });

  it("are called by the successor, if they were not", async () => {
    const { told, keeper, look, stored } = world();
    await look(keeper("a", undefined, undefined, courierThat(9).courier), deep);
    const { sent, courier } = courierThat(0);
    const b = keeper("b", undefined, undefined, courier);
    await look(b, deep);
    expect([told, sent]).toEqual([["a deep raised"], ["deep raised"]]);
    await look(b);
    expect(sent).toEqual(["deep raised", "deep over"]);
    expect(await stored()).toEqual([]);
  });

  it("are called in order, that it began and that it is over, though it was over before they could be", async () => {
    const { clock, told, keeper, look, stored } = world();
    const { sent, courier } = courierThat(4);
    const a = keeper("a", undefined, undefined, courier);
    await look(a, deep);
    await clock.pass(5_000);
    await look(a);
    expect([told, sent]).toEqual([["a deep raised", "a deep over"], []]);
    const b = keeper("b", undefined, undefined, courier);
    while (sent.length === 0) await look(b);
    expect(told).toEqual(["a deep raised", "a deep over"]);
    expect(sent).toEqual(["deep raised", "deep over"]);
    expect(await stored()).toEqual([]);
  });

  it("are told as the others were: under the same ids, with the same times", async () => {
    const { clock, alerts, keeper, look } = world();
    const sent: Alert[] = [];
    let fails = 3;
    const courier: AlertCourier = {
      async send(alert) {
        if (fails-- > 0) throw new Error("the queue is full");
        sent.push(alert);
      },
    };
    const a = keeper("a", undefined, undefined, courier);
    await look(a, late);
    await clock.pass(5_000);
    for (let passes = 0; passes < 4; passes++) await look(a);
    expect(sent).toEqual(alerts);
  });

  it("are called of what is forgotten without a word, if they were not yet", async () => {
    const { keeper, look, stored } = world();
    const { sent, courier } = courierThat(3);
    const a = keeper("a", undefined, undefined, courier);
    await look(a, deep);
    const forget = () => a.settle({ term: 1, found: [], covers: ALL, isOver: () => false });
    await forget();
    expect(await stored()).toEqual(["deep.queue.mail"]);
    while (sent.length === 0) await forget();
    expect(sent).toEqual(["deep raised"]);
    expect(await stored()).toEqual([]);
  });

  it("are called that it is over, even if that took a while", async () => {
    const { told, keeper, look } = world();
    const { sent, courier } = courierThat(0);
    let fails = 1;
    const flaky: AlertCourier = {
      send: (alert) => {
        if (alert.state === "over" && fails-- > 0) throw new Error("the queue is full");
        return courier.send(alert);
      },
    };
    const a = keeper("a", undefined, undefined, flaky);
    await look(a, deep);
    await look(a);
    await look(a);
    await look(a);
    expect(told).toEqual(["a deep raised", "a deep over"]);
    expect(sent).toEqual(["deep raised", "deep over"]);
  });
});

describe("a write whose answer is lost", () => {
  it("is read again: it is told once", async () => {
    let lost = 1;
    const { told, keeper, look } = world({ alertWrite: () => (lost-- > 0 ? "answer lost" : undefined) });
    const a = keeper("a");
    await look(a, deep);
    await look(a, deep);
    await look(a);
    expect(told).toEqual(["a deep raised", "a deep over"]);
  });

  it("that never arrived is done again", async () => {
    let lost = 1;
    const { told, keeper, look } = world({ alertWrite: () => (lost-- > 0 ? "lost before" : undefined) });
    const a = keeper("a");
    await look(a, deep);
    await look(a, deep);
    expect(told).toEqual(["a deep raised"]);
  });
});
