import { describe, expect, it } from "vitest";
import { Patience } from "../../src/core/patience.js";

describe("how long an answer is waited for", () => {
  it("is a second before there was any", () => {
    expect(new Patience().ms).toBe(1_000);
  });

  it("follows how late answers are, and never is less than 50 ms", () => {
    const near = new Patience();
    const far = new Patience();
    for (let i = 0; i < 100; i++) {
      near.noteAnswer(1);
      far.noteAnswer(400);
    }
    expect(near.ms).toBe(50);
    expect(far.ms).toBeGreaterThanOrEqual(400);
    expect(far.ms).toBeLessThan(500);
  });

  it("leaves room for answers that vary", () => {
    const patience = new Patience();
    for (let i = 0; i < 100; i++) patience.noteAnswer(i % 2 === 0 ? 0 : 200);
    expect(patience.ms).toBeGreaterThan(200);
  });

  it("doubles with each that does not come, to 2.5 s, until one comes", () => {
    const patience = new Patience();
    for (let i = 0; i < 20; i++) patience.noteAnswer(1);
    const seen = [];
    for (let i = 0; i < 8; i++) {
      seen.push(patience.ms);
      patience.noteMissing();
    }
    expect(seen).toEqual([50, 100, 200, 400, 800, 1_600, 2_500, 2_500]);
    patience.noteAnswer(1);
    expect(patience.ms).toBe(50);
  });
});
