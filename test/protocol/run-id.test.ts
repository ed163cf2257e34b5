import { describe, expect, it } from "vitest";
import { isRunId } from "../../src/protocol/names.js";
import { fallbackRunId } from "../../src/protocol/run-id.js";

describe("the run id of a job that came without one", () => {
  it("is its key and its place, the same at every redelivery", () => {
    expect(fallbackRunId("shop.work.mail.order-17", 9)).toBe("order-17:9");
    expect(fallbackRunId("shop.work.mail.a.b", 9)).toBe("a-b:9");
  });

  it.each([
    "shop.work.mail.ü",
    "shop.work.mail.---",
    "shop.work.mail._x",
    "odd",
    "",
    `shop.work.q.${"k".repeat(500)}`,
  ])("can be one whatever the subject: %j", (subject) => {
    expect(isRunId(fallbackRunId(subject, 2 ** 50))).toBe(true);
  });
});
