import { test } from "node:test";
import assert from "node:assert/strict";
import type { Points } from "./points.ts";
import { gathered, tailFrom } from "./tails.ts";

const held = (...timestamps: number[]): Points => ({ step: null, timestamps, values: timestamps.map(() => 1), lows: null, highs: null, damaged: [] });

test("a line is asked for from a little before its last point, however long ago that was", () => {
  assert.equal(tailFrom(held(100, 900), 0, 1_000, 60), 840);
  assert.equal(tailFrom(held(100), 0, 1_000, 60), 40);
  assert.equal(tailFrom(held(), 200, 1_000, 60), 200, "one without a point from the left edge");
  assert.equal(tailFrom(held(100), 200, 1_000, 60), 200, "and so is one whose points have fallen off");
  assert.equal(tailFrom(held(5_000), 0, 1_000, 60), 940, "a point of the future hides none of now");
});

test("a line that is silent does not make the others ask for long", () => {
  const tails = [{ line: "live", fromMs: 930 }, { line: "dead", fromMs: 0 }, { line: "late", fromMs: 900 }];
  assert.deepEqual(gathered(tails, 1_000, 24), [{ lines: ["dead"], fromMs: 0 }, { lines: ["late", "live"], fromMs: 900 }]);
  assert.deepEqual(gathered(tails, 1_000, 1).map(({ lines }) => lines), [["dead"], ["late"], ["live"]]);
});
