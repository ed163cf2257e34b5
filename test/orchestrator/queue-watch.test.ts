import { expect, test } from "vitest";
import type { DeadLetterStore } from "../../src/core/dead-letter-store.js";
import type { QueueFigures } from "../../src/core/figures.js";
import { QueueWatch } from "../../src/orchestrator/queue-watch.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";

const mail = (waiting: number): QueueFigures[] => [
  { queue: "mail", lane: "work", waiting, inFlight: 0, oldestAgeMs: null },
];

/** A server that answers when the test says so. */
function given() {
  const clock = new ManualClock();
  const answers: { resolve(figures: QueueFigures[]): void; reject(error: Error): void }[] = [];
  const queues = () => new Promise<QueueFigures[]>((resolve, reject) => answers.push({ resolve, reject }));
  const ports = openMemoryPorts(new MemoryServer({ clock }));
  const figures = { queues, deadLetters: async () => new Map(), clockOffset: async () => 0 };
  return { clock, answers, watch: new QueueWatch({ ...ports, clock, figures }) };
}

test("queues are as the server last counted them while it counts for long, and it is asked once", async () => {
  const { clock, answers, watch } = given();
  const first = watch.depths();
  answers[0]?.resolve(mail(1));
  expect((await first).get("mail")?.waiting).toBe(1);
  const second = watch.depths();
  clock.advance(1_000);
  expect((await second).get("mail")?.waiting).toBe(1);
  const third = watch.depths();
  expect(answers).toHaveLength(2);
  answers[1]?.resolve(mail(7));
  expect((await third).get("mail")?.waiting).toBe(7);
});

test("dead letters count once, also when the first read of them breaks off", async () => {
  const clock = new ManualClock();
  const ports = openMemoryPorts(new MemoryServer({ clock }));
  const buried = { subject: "s", headers: {}, body: new Uint8Array(), reason: "r", attempts: 1 };
  for (const seq of [1, 2, 3]) await ports.dead.bury({ queue: "mail", seq, ...buried });
  let visits = 0;
  const breakingOff: DeadLetterStore["scan"] = (range, visit) =>
    ports.letters.scan(range, (letter) => {
      if (++visits === 3) throw new Error("the connection was closed");
      return visit(letter);
    });
  const bounds = () => ports.letters.bounds();
  const letters = { bounds, scan: breakingOff } as DeadLetterStore;
  const watch = new QueueWatch({ ...ports, letters, clock });
  await expect(watch.readDeaths(60_000)).rejects.toThrow("closed");
  await watch.readDeaths(60_000);
  expect(watch.deathsOf("mail")).toHaveLength(3);
});

test("nothing is said of queues before they were counted", async () => {
  const { clock, answers, watch } = given();
  const first = watch.depths();
  clock.advance(60_000);
  answers[0]?.reject(new Error("no answer"));
  await expect(first).rejects.toThrow("no answer");
});
