import { headers as natsHeaders } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import { BareWorker } from "../../support/bare-worker.js";
import { openOn, until } from "../../support/scene.js";
import { startSession } from "../../support/sessions.js";
import { Stage, serverOf } from "../../support/stage.js";

const server = serverOf();
const KEYS = 5;
const JOBS = 400;
const CRASHES = 5;

test("keeper after keeper is killed under load: the order of each key is exact, nothing is lost or doubled", async () => {
  const stage = await Stage.open(server(), { shards: 1 });
  const { names, js } = stage;
  const open = () => openOn(server(), names.namespace, 1);
  const { ports } = await open();
  await ports.queues.ensure("mail", { perKey: { order: true } });
  const options = { leaseDuration: "9s", probe: 50 };
  let alive = [await startSession({ open }, "0", options), await startSession({ open }, "1", options)];
  const worker = await BareWorker.start(stage, "mail", async ({ seq, attempt }) =>
    attempt === 1 && seq % 20 === 0 ? 10 : undefined,
  );
  const ids = Array.from({ length: JOBS }, (_, i) => `${i % KEYS}-${i}`);
  const publishing = (async () => {
    for (const id of ids) {
      const key = `key-${id.split("-")[0]}`;
      const headers = natsHeaders();
      headers.set("Punctual-Key", key);
      headers.set("Punctual-Run-Id", id);
      await js.publish(names.gate("mail", key, id), "1", { headers, msgID: `${id}/1` });
    }
  })();
  for (let crash = 1; crash <= CRASHES; crash++) {
    const enough = (JOBS * crash) / (CRASHES + 1);
    const dying = await until(() => {
      expect(worker.done.length).toBeGreaterThan(enough);
      const holder = alive.find(({ session }) => session.held.length === 1);
      expect(holder).toBeDefined();
      return holder as NonNullable<typeof holder>;
    });
    await dying.connection.close();
    alive = alive.filter((one) => one !== dying);
    alive.push(await startSession({ open }, `${crash + 1}`, options));
  }
  await publishing;
  await until(() => expect(worker.done).toHaveLength(JOBS));
  await stage.workIsEmpty();
  const of = (all: readonly string[], key: number) => all.filter((id) => id.startsWith(`${key}-`));
  const done = worker.done.map(({ runId }) => runId);
  for (let key = 0; key < KEYS; key++) expect(of(done, key)).toEqual(of(ids, key));
  expect([...worker.most.values()]).toEqual(Array.from({ length: KEYS }, () => 1));
});
