import { describe, expect, it } from "vitest";
import { PunctualError } from "../../src/core/errors.js";
import { parseAddress } from "../../src/http/address.js";

describe("an address to listen at", () => {
  it.each([
    [9464, { host: "127.0.0.1", port: 9464 }],
    ["9464", { host: "127.0.0.1", port: 9464 }],
    [0, { host: "127.0.0.1", port: 0 }],
    ["0.0.0.0:9464", { host: "0.0.0.0", port: 9464 }],
    ["metrics.internal:80", { host: "metrics.internal", port: 80 }],
    ["[::1]:9464", { host: "::1", port: 9464 }],
  ])("%s", (given, expected) => {
    expect(parseAddress(given)).toEqual(expected);
  });

  it.each([
    "",
    "nine",
    "-1",
    "65536",
    "1.5",
    ":9464",
    "a b:1",
    "http://127.0.0.1:9464",
    "::1:9464",
    Number.NaN,
  ])("is not %s", (given) => {
    const refused = () => parseAddress(given, "--http");
    expect(refused).toThrow(PunctualError);
    expect(refused).toThrow(/^--http: expected a port, or host:port as in 0\.0\.0\.0:9464, got /);
  });
});
