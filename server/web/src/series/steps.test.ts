import { test } from "node:test";
import assert from "node:assert/strict";
import { stepFor } from "./steps.ts";

const HOUR_MS = 3_600_000;

test("while they fit, every sample is drawn", () => {
  assert.equal(stepFor(HOUR_MS, 360, 10_000), null);
  assert.equal(stepFor(24 * HOUR_MS, 360, 300_000), null);
});

test("longer ranges have points that fit the stored roll-ups", () => {
  assert.equal(stepFor(24 * HOUR_MS, 360, 10_000), 5 * 60_000);
  assert.equal(stepFor(30 * 24 * HOUR_MS, 360, 10_000), 2 * HOUR_MS);
  assert.equal(stepFor(3_653 * 24 * HOUR_MS, 360, 10_000), 14 * 24 * HOUR_MS);
});

test("a point is never shorter than the interval", () => {
  assert.ok((stepFor(24 * HOUR_MS, 100, 300_000) ?? 0) >= 300_000);
});
