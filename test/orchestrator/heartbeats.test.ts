/** Heartbeats go by the server's clock alone, however wrong those of orchestrators are. */
import { expect, onTestFinished, test } from "vitest";
import { AlertBook } from "../../src/orchestrator/alert-book.js";
import { HeartbeatJudge } from "../../src/orchestrator/heartbeat-judge.js";
import { HeartbeatService } from "../../src/orchestrator/heartbeat-service.js";
import { heartbeatInput } from "../../src/protocol/heartbeat-input.js";
import { silentLogger } from "../../src/runtime/log.js";
import { MachineClock, ManualClock, MemoryServer, openMemoryPorts } from "../../src/testing/index.js";
import { START } from "../contract/given.js";

const MINUTE = 60_000;
const iso = (minute: number) => new Date(START + minute * MINUTE).toISOString();

/** An orchestrator whose clock is ahead of the server's, or behind. */
async function world(aheadMs: number) {
  const serverClock = new ManualClock(START);
  const server = new MemoryServer({ clock: serverClock });
  const clock = new MachineClock(serverClock, aheadMs);
  let isAnswered = true;
  const clockOffset = async () => {
    if (!isAnswered) throw new Error("no answer");
    return serverClock.now() - clock.now();
  };
  const ports = openMemoryPorts(server);
  const figures = Object.assign(ports.figures, { clockOffset });
  const own = { ...ports, clock, figures, log: silentLogger };
  const book = new AlertBook(own);
  const following = await book.follow();
  onTestFinished(() => following.stop());
  const judge = new HeartbeatJudge(own, book);
  const service = new HeartbeatService(own);
  const heartbeat = heartbeatInput.parse({ every: "1h", grace: 0 });
  const put = () => service.put({ name: "backup", heartbeat, ifRevision: undefined });
  return {
    ...{ clock, service, put, beat: () => ports.beats.beat("backup") },
    pass: (minutes: number) => serverClock.pass(minutes * MINUTE),
    look: async () => (await judge.look()).found.map(({ data }) => data.expected),
    answerNoMore: () => {
      isAnswered = false;
    },
  };
}

test.each([0, 10 * MINUTE, -10 * MINUTE])("%i ms ahead", async (aheadMs) => {
  const { service, put, beat, pass, look } = await world(aheadMs);
  expect(await put()).toMatchObject({ lastBeat: null, expected: iso(60), missing: false });
  await pass(30);
  await beat();
  await pass(59);
  expect(await look()).toEqual([]);
  expect(await service.get({ name: "backup" })).toMatchObject({ expected: iso(90), missing: false });
  await pass(2);
  expect(await look()).toEqual([iso(90)]);
  expect(await service.get({ name: "backup" })).toMatchObject({ missing: true });
});

test("a clock that is set meanwhile changes nothing, though the server's is not known for a while", async () => {
  const { clock, put, pass, look, answerNoMore } = await world(0);
  await put();
  expect(await look()).toEqual([]);
  clock.jump(-120 * MINUTE);
  answerNoMore();
  await pass(61);
  expect(await look()).toEqual([iso(60)]);
});
