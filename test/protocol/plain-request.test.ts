import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EnqueueRequest, enqueueRequest } from "../../src/protocol/enqueue-input.js";
import { plainRequest, readEnqueueRequest } from "../../src/protocol/plain-request.js";

const id = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_=:-]{0,20}$/),
  fc.constantFrom("", "a.b", "-a", "a b", "a:b", "x".repeat(64), "x".repeat(128), "x".repeat(129), null, 7),
);
const payload = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(undefined, Number.NaN, 10n, new Date(0), { at: new Date(0) }, [() => 1]),
);
/** Each field wrong now and then, or one that is not for the plain. */
const field = {
  queue: id,
  payload,
  jobId: id,
  unique: id,
  key: id,
  priority: fc.constantFrom("high", "normal", "low", "urgent", 1, undefined),
};
const other = {
  headers: fc.constantFrom({}, { "X-Team": "red" }, { "Nats-Msg-Id": "x" }, undefined),
  retry: fc.constantFrom({}, { maxAttempts: 2 }, { attempts: 2 }),
  timeout: fc.constantFrom("30s", 0, "soon"),
  uniqueFor: fc.constantFrom("1m", 1),
  delay: fc.constantFrom("1m", 0, undefined),
  startDeadline: fc.constantFrom("1m"),
  labels: fc.constantFrom({ team: "billing" }),
  group: fc.constantFrom("g/1"),
  prio: fc.constantFrom(1, undefined),
};
const anyRequest = fc.oneof(
  { weight: 4, arbitrary: fc.record(field, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.record({ ...field, ...other }, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.anything() },
) as fc.Arbitrary<EnqueueRequest>;

describe("a plain request", () => {
  test("is read as the schema reads it, or left to the schema", () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        const plain = plainRequest(request);
        if (plain !== null) expect(plain).toEqual(enqueueRequest.parse(request));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each<EnqueueRequest>([
    {},
    { queue: "mail", payload: { to: "a@b.c" } },
    { queue: "mail", payload: [1, null], jobId: "order:17", key: "customer:7", priority: "low" },
    { unique: "order-17", payload: undefined },
  ])("needs no schema: %j", (request) => {
    expect(plainRequest(request)).not.toBeNull();
  });

  class Order {
    readonly payload = 1;
    get delay() {
      return "1m";
    }
  }
  test.each([
    [[]],
    ["mail"],
    [7],
    [null],
    [new Order()],
    [Object.create({ delay: "1m" })],
    [{ queue: "mail", labels: { team: "billing" } }],
  ])("is not one that only the schema can read: %j", (request) => {
    expect(plainRequest(request as EnqueueRequest)).toBeNull();
  });

  test("that is wrong is refused in the words of the schema", () => {
    expect(() => readEnqueueRequest({ queue: "a.b" })).toThrow(
      /^enqueue: queue: expected 1 to 64 characters of .* got "a\.b"$/,
    );
  });
});
