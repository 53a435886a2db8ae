import { test } from "node:test";
import assert from "node:assert/strict";
import { aligned, finished, joined, lonely, stacked, together, unbroken, type Points } from "./points.ts";

const points = (timestamps: number[], values: (number | null)[], step: number | null = null): Points => ({
  step, timestamps, values, lows: null, highs: null, damaged: [],
});

test("a pause of more than two and a half distances is a gap", () => {
  const { times, values } = aligned([points([0, 10, 20, 60, 70], [1, 2, 3, 4, 5])]);
  assert.deepEqual(times, [0, 10, 20, 21, 60, 70]);
  assert.deepEqual(values, [[1, 2, 3, null, 4, 5]]);
});

test("one sample that is missing is no gap", () => {
  assert.deepEqual(aligned([points([0, 10, 30, 40, 50], [1, 2, 3, 4, 5])]).times, [0, 10, 30, 40, 50]);
});

test("lines with times of their own share an axis, without gaps where the other has a point", () => {
  const { times, values } = aligned([points([0, 10, 20], [1, 2, 3]), points([5, 15, 25], [4, 5, 6])]);
  assert.deepEqual(times, [0, 5, 10, 15, 20, 25]);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((at) => values[0]?.[at]), [1, undefined, 2, undefined, 3, undefined]);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((at) => values[1]?.[at]), [undefined, 4, undefined, 5, undefined, 6]);
});

test("a missing value stays missing: absent is not zero", () => {
  assert.deepEqual(aligned([points([0, 10], [null, 2])]).values, [[null, 2]]);
});

test("newer points take the place of the last ones, and old ones fall off", () => {
  const all = joined(points([0, 10, 20, 30], [1, 2, 3, 4]), points([30, 40], [9, 5]), 10);
  assert.deepEqual(all.timestamps, [10, 20, 30, 40]);
  assert.deepEqual(all.values, [2, 3, 9, 5]);
});

test("an empty answer takes nothing away", () => {
  assert.deepEqual(joined(points([0, 10], [1, 2]), points([], []), 0).values, [1, 2]);
});

test("the range of points without one is the point itself", () => {
  const newer = { ...points([10], [5]), lows: [4], highs: [6] };
  const all = joined(points([0], [1]), newer, 0);
  assert.deepEqual([all.lows, all.highs], [[1, 4], [1, 6]]);
});

test("series that followed each other are one line", () => {
  const all = together([points([30, 40], [3, 4]), points([], []), points([10, 20], [1, 2])]);
  assert.deepEqual(all.values, [1, 2, 3, 4]);
});

test("a stack adds up, and has a gap where its line has one", () => {
  assert.deepEqual(stacked([[1, 2, null], [10, null, 30]]), [[1, 2, null], [11, null, 30]]);
  assert.deepEqual(stacked([[1, undefined, 3], [10, 20, 30]]), [[1, 1, 3], [11, 21, 33]]);
});

test("the growth of a time that is not over is left out, and only that", () => {
  const all = points([0, 10, 20], [1, 2, 0.3], 10);
  assert.deepEqual(finished(all, 25).timestamps, [0, 10]);
  assert.deepEqual(finished(all, 30).timestamps, [0, 10, 20]);
  assert.deepEqual(finished(points([0, 10], [1, 2]), 11).timestamps, [0, 10]);
});

test("a point is lonely between gaps, not between the times of other lines", () => {
  assert.deepEqual(lonely([1, null, 2, null, 3, 4]), [0, 2]);
  assert.deepEqual(lonely([1, undefined, 2, undefined, 3]), []);
  assert.deepEqual(lonely([undefined, 7, undefined]), [1]);
});

test("a rate has no dip before a gap, none behind it, and none where its host died", () => {
  const rate = points([0, 10, 20, 30, 80, 90, 100, 110], [5, 5, 5, 1, 2, 5, 5, 1], 10);
  assert.deepEqual(unbroken(rate, 115).values, [5, 5, 5, 5, 5, 1]);
  assert.deepEqual(unbroken(rate, 200).values, [5, 5, 5, 5, 5]);
  assert.deepEqual(unbroken(points([0, 10, 60, 70], [1, 2, 3, 4], 10), 75).values, [1, 2, 3, 4], "what is short stays");
  assert.deepEqual(unbroken({ ...rate, step: null }, 200).values, [5, 5, 5, 1, 5, 5, 1], "between samples only what spans the gap goes");
});
