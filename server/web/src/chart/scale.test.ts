import { test } from "node:test";
import assert from "node:assert/strict";
import { yRange } from "./scale.ts";

test("a scale with a known end reaches further where a value does", () => {
  const percent = { top: 100, fromZero: true };
  assert.deepEqual(yRange(percent, 3, 40), [0, 100]);
  assert.deepEqual(yRange(percent, -20, 130), [-20, 130]);
  assert.deepEqual(yRange(percent, null, null), [0, 100]);
});

test("a scale has room above, and no end that is not a number", () => {
  assert.deepEqual(yRange({ top: null, fromZero: true }, 0, 100), [0, 106]);
  for (const [least, greatest] of [[0, 1.7e308], [-1.7e308, 1.7e308]] as const) {
    const [low, high] = yRange({ top: null, fromZero: false }, least, greatest);
    assert.ok(Number.isFinite(low) && Number.isFinite(high) && low <= least && high >= greatest);
  }
});
