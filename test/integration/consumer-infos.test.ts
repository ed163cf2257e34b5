import { expect, test } from "vitest";
import { ConsumerInfos } from "../../src/nats/consumer-infos.js";
import { systemClock } from "../../src/runtime/clock.js";
import { Stage, serverOf } from "../support/stage.js";

const server = serverOf();

test("every consumer is told once, with what waits for it, whether there is time or not", async () => {
  const stage = await Stage.open(server());
  for (const queue of ["mail", "reports", "sync"]) await stage.ensureQueue(queue);
  for (const queue of ["mail", "mail", "sync"]) await stage.client.enqueue({ queue });
  const infos = new ConsumerInfos(stage.raw, stage.jsm, stage.names.work, systemClock);
  const waiting = { "work-mail": 2, "work-reports": 0, "work-sync": 1 };
  for (const told of [infos.all(), infos.atOnce()]) {
    const found: [string, number][] = [];
    for await (const { name, num_pending } of told) found.push([name, num_pending]);
    expect(found).toHaveLength(9);
    expect(Object.fromEntries(found)).toMatchObject(waiting);
  }
});
