/** The frame of every suite: fresh ports before each test, cleaned up after it. */
import { afterEach, beforeEach, describe } from "vitest";
import type { MakePorts, PortsUnderTest } from "./ports.js";

/** @param tests gets a way to the ports of the running test */
export function describePort(
  title: string,
  make: MakePorts,
  tests: (on: () => PortsUnderTest) => void,
): void {
  describe(title, () => {
    let ports: PortsUnderTest | undefined;
    beforeEach(async () => {
      ports = await make();
    });
    afterEach(() => ports?.cleanup());
    tests(() => ports as PortsUnderTest);
  });
}
