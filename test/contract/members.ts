import { expect, it, onTestFinished } from "vitest";
import type { Member } from "../../src/core/ports.js";
import { Arrivals, until } from "../support/until.js";
import { member } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeMembership(name: string, make: MakePorts): void {
  describePort(`membership over ${name}`, make, (on) => {
    const ids = async () => (await on().other.membership.list()).map(({ id }) => id).sort();

    it("lists those who announced themselves", async () => {
      const { one, other } = on();
      expect(await other.membership.list()).toEqual([]);
      const worker = member("w1", { role: "worker", queues: ["mail"] });
      await one.membership.announce(member("a"));
      await one.membership.announce(member("a"));
      await one.membership.announce(worker);
      expect(await ids()).toEqual(["a", "w1"]);
      expect(await other.membership.list()).toContainEqual(worker);
    });

    it("forgets those who leave", async () => {
      const { one } = on();
      await one.membership.announce(member("a"));
      await one.membership.announce(member("b"));
      await one.membership.leave(member("a"));
      expect(await ids()).toEqual(["b"]);
      await one.membership.leave(member("never-there"));
      expect(await ids()).toEqual(["b"]);
    });

    it("forgets those who fall silent", async () => {
      const { one, fadeMembersAfter, pass } = on();
      await fadeMembersAfter(300);
      await one.membership.announce(member("a"));
      await pass(301);
      await until(async () => (await ids()).length === 0);
    });

    it("watches who is there, comes and leaves", async () => {
      const { names, one, other } = on();
      const key = (id: string) => names.memberKey("orchestrator", id);
      await one.membership.announce(member("a"));
      const changes = new Arrivals<[string, Member | null]>();
      const watch = await other.membership.watch((key, member) => changes.add([key, member]));
      onTestFinished(() => watch.stop());
      expect(await changes.next()).toEqual([key("a"), member("a")]);
      await one.membership.announce(member("b"));
      expect(await changes.next()).toEqual([key("b"), member("b")]);
      await one.membership.announce(member("a", { startedAt: 5 }));
      expect(await changes.next()).toEqual([key("a"), member("a", { startedAt: 5 })]);
      await one.membership.leave(member("b"));
      expect(await changes.next()).toEqual([key("b"), null]);
    });

    it("watches from nobody on, and is silent after its stop", async () => {
      const { one, other } = on();
      const changes = new Arrivals<string>();
      const ended = new Arrivals<string>();
      const watch = await other.membership.watch((key) => changes.add(key));
      onTestFinished(() => watch.stop());
      const short = await other.membership.watch((key) => ended.add(key));
      await short.stop();
      await one.membership.announce(member("a"));
      await changes.next();
      expect(ended.all).toEqual([]);
    });

    it("probes: alive while it answers, gone when nobody holds the subject", async () => {
      const { one, other } = on();
      expect(await other.membership.probe("a")).toBe("gone");
      const answering = one.membership.answerProbes("a");
      await one.membership.list(); // the server has read all that went before on this connection
      expect(await other.membership.probe("a")).toBe("alive");
      expect(await other.membership.probe("b")).toBe("gone");
      await answering.stop();
      await one.membership.list();
      expect(await other.membership.probe("a")).toBe("gone");
    });
  });
}
