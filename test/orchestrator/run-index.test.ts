/** Runs found in RUNS, page after page, whatever fits into the book. */
import { expect, test } from "vitest";
import { foldRun, type Run } from "../../src/core/run.js";
import { RunIndex } from "../../src/orchestrator/run-index.js";
import { ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";

function given(mostRuns: number) {
  const clock = new ManualClock();
  const server = new MemoryServer({ clock });
  const { names, reader } = openMemoryPorts(server);
  const index = new RunIndex({ reader, names, clock }, mostRuns);
  const store = (subject: string, headers: Record<string, string>, data: object) =>
    server.runs.store({ subject, headers, body: new TextEncoder().encode(JSON.stringify(data)) });
  return {
    server,
    index,
    queued: (id: string, seq: number) =>
      store(names.queued(names.job("q", id)), { "Punctual-Run-Id": id, "Nats-Sequence": String(seq) }, {}),
    told: (id: string, seq: number, type = "succeeded") =>
      store(names.runEvent(id, type), { "Nats-Msg-Id": `${id}/${type}/${seq}` }, { attempt: 1, queue: "q" }),
  };
}

async function all(index: RunIndex, accepts: (run: Run) => boolean = () => true): Promise<Run[]> {
  const found: Run[] = [];
  for (let before: number | null = null; ; ) {
    const { runs, next } = await index.page(accepts, 700, before);
    found.push(...runs);
    if (next === null) return found;
    before = next;
  }
}

const RUNS = 9_000;

test.each([[100_000], [1_000]])("all are found, the newest first, with a book of %i", async (mostRuns) => {
  const { index, queued, told } = given(mostRuns);
  for (let seq = 1; seq <= RUNS; seq++) {
    queued(`job-${seq}`, seq);
    told(`job-${seq}`, seq);
  }
  const found = await all(index);
  expect(found.map(({ id }) => id)).toEqual(Array.from({ length: RUNS }, (_, n) => `job-${RUNS - n}`));
  expect(found.every(({ state, queue }) => state === "succeeded" && queue === "q")).toBe(true);
});

test.each([[100_000], [1_000]])(
  "a run that took long is found once, at its end known, with a book of %i",
  async (mostRuns) => {
    const { index, queued, told } = given(mostRuns);
    queued("long", 1);
    told("long", 1, "started");
    queued("waited", 2);
    told("lost", 3, "started");
    for (let seq = 4; seq <= RUNS; seq++) {
      queued(`job-${seq}`, seq);
      told(`job-${seq}`, seq);
    }
    told("waited", 2);
    told("long", 1);
    told("lost", 3);
    const found = await all(index, ({ id }) => !id.startsWith("job-"));
    expect(found.map(({ id, state }) => `${id} ${state}`).sort()).toEqual([
      "long succeeded",
      "lost succeeded",
      "waited succeeded",
    ]);
  },
);

test("what is new is seen by the next question", async () => {
  const { index, queued, told } = given(1_000);
  queued("a", 1);
  expect((await all(index)).map(({ state }) => state)).toEqual(["queued"]);
  told("a", 1);
  queued("b", 2);
  expect((await all(index)).map(({ id, state }) => `${id} ${state}`)).toEqual(["b queued", "a succeeded"]);
  expect(foldRun("a", (await index.get("a")) ?? [])?.state).toBe("succeeded");
  expect(await index.get("c")).toBeNull();
  const { last } = await index.changes(null);
  told("b", 2, "started");
  expect((await index.changes(last)).ids).toEqual(["b"]);
});
