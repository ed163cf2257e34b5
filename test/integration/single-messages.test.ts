/** What may not be taken for "it is gone": a timer that is not there counts as cancelled. */
import { expect, onTestFinished, test } from "vitest";
import { SingleMessages } from "../../src/nats/single-messages.js";
import { systemClock } from "../../src/runtime/clock.js";
import { Stage, serverOf } from "../support/stage.js";

const server = serverOf();

test("a message that is not there is none, of a stream that is not there it is an error", async () => {
  const { raw, jsm, names } = await Stage.open(server());
  const timers = new SingleMessages(raw, systemClock, names.timers);
  expect(await timers.read(1)).toBeNull();
  await timers.remove(1);
  await jsm.streams.delete(names.timers);
  await expect(timers.read(1)).rejects.toThrow("stream not found");
  await expect(timers.remove(1)).rejects.toThrow("stream not found");
});

test("a connection that is closed is an error, for what was asked and what is asked then", async () => {
  const { raw, names } = await Stage.open(server());
  const timers = new SingleMessages(raw, systemClock, names.timers);
  const asked = timers.read(1);
  const closing = raw.close();
  onTestFinished(() => closing);
  await expect(asked).rejects.toThrow();
  await closing;
  await expect(timers.read(1)).rejects.toThrow("the connection was closed");
});
