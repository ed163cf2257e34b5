import { expect, it } from "vitest";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeClaimStore(name: string, make: MakePorts): void {
  describePort(`claims of keys over ${name}`, make, (on) => {
    it("are read as they were written, over any connection, each queue's its own", async () => {
      const { one, other } = on();
      const claim = { runId: "order:7", until: Date.UTC(2030, 0, 1) };
      expect(await one.claims.get("mail", "order:7")).toBeNull();
      const outcome = await one.claims.write("mail", "order:7", claim, 0);
      if (outcome.kind !== "stored") throw new Error(outcome.kind);
      const { revision } = outcome;
      expect(await other.claims.get("mail", "order:7")).toEqual({ value: claim, revision });
      expect(await other.claims.get("files", "order:7")).toBeNull();
    });

    it("are written only on the revision that is there", async () => {
      const { one, other } = on();
      const first = await one.claims.write("mail", "a", { runId: "r1", until: 1 }, 0);
      if (first.kind !== "stored") throw new Error(first.kind);
      expect(await other.claims.write("mail", "a", { runId: "r2", until: 2 }, 0)).toEqual({ kind: "lost" });
      const second = await other.claims.write("mail", "a", { runId: "r2", until: 2 }, first.revision);
      expect(second).toMatchObject({ kind: "stored" });
      expect(await one.claims.write("mail", "a", { runId: "r1", until: 3 }, first.revision)).toEqual({
        kind: "lost",
      });
      expect(await one.claims.get("mail", "a")).toMatchObject({ value: { runId: "r2", until: 2 } });
    });
  });
}
