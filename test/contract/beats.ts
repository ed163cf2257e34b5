import { expect, it } from "vitest";
import { START } from "./given.js";
import type { MakePorts } from "./ports.js";
import { describePort } from "./suite.js";

export function describeBeatStore(name: string, make: MakePorts): void {
  describePort(`beats over ${name}`, make, (on) => {
    it("the last of each name is known, over any connection", async () => {
      const { one, other, pass } = on();
      expect(await one.beats.last("backup")).toBeNull();
      await one.beats.beat("backup");
      const first = (await other.beats.last("backup")) as number;
      expect(first).toBeGreaterThan(START - 1);
      await pass(10);
      await one.beats.beat("backup");
      expect(await other.beats.last("backup")).toBeGreaterThanOrEqual(first);
      expect(await other.beats.last("report")).toBeNull();
    });

    it("says so when it cannot be stored", async () => {
      const { one, cutOne } = on();
      await cutOne();
      await expect(one.beats.beat("backup")).rejects.toMatchObject({ code: "unavailable" });
    });
  });
}
