import { expect, it } from "vitest";
import type { DeadLetter } from "../../src/core/ports.js";
import { headers as h } from "../../src/protocol/headers.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeDeadLetters(name: string, make: MakePorts): void {
  describePort(`dead letters over ${name}`, make, (on) => {
    const letter = (more: Partial<DeadLetter> = {}): DeadLetter => ({
      queue: "mail",
      subject: on().names.job("mail", "a"),
      seq: 7,
      headers: { [h.runId]: "a:1", [h.msgId]: "a:1/1", "X-Trace": "t" },
      body: new TextEncoder().encode("{}"),
      reason: "attempts used up",
      attempts: 5,
      error: "no route",
      stack: "Error: no route",
      ...more,
    });

    it("keeps payload, headers, reason, attempts and error", async () => {
      const { one, deadLetters } = on();
      await one.dead.bury(letter());
      const [kept] = await deadLetters("mail");
      expect(Buffer.from(kept?.body ?? []).toString()).toBe("{}");
      expect(kept?.headers).toMatchObject({
        [h.runId]: "a:1",
        "X-Trace": "t",
        [h.reason]: "attempts used up",
        [h.attempts]: "5",
        [h.error]: "no route",
        [h.errorStack]: "Error: no route",
        [h.queue]: "mail",
        [h.subject]: letter().subject,
      });
    });

    it("keeps a letter once, whoever buries it again", async () => {
      const { one, other, deadLetters } = on();
      await one.dead.bury(letter());
      await one.dead.bury(letter());
      await other.dead.bury(letter({ attempts: 6 }));
      expect(await deadLetters("mail")).toHaveLength(1);
    });

    it("keeps letters of other sequences and subjects apart", async () => {
      const { names, one, deadLetters } = on();
      await one.dead.bury(letter());
      await one.dead.bury(letter({ seq: 8 }));
      await one.dead.bury(letter({ subject: names.job("mail", "b") }));
      await one.dead.bury(letter({ queue: "other" }));
      expect(await deadLetters("mail")).toHaveLength(3);
    });

    it("takes errors of several lines", async () => {
      const { one, deadLetters } = on();
      await one.dead.bury(letter({ error: "first\r\nNats-Rollup: all", stack: "a\n  b" }));
      await one.dead.bury(letter({ seq: 8, error: undefined, stack: undefined }));
      expect(await deadLetters("mail")).toHaveLength(2);
    });
  });
}
