import { test } from "node:test";
import assert from "node:assert/strict";
import { sparkPath, usualDistance } from "./spark.ts";

const SHAPE = { width: 100, height: 12, top: 10 };

test("time goes to the right and values go up", () => {
  assert.equal(sparkPath([0, 50, 100], [0, 5, 10], 0, 100, SHAPE), "M0.0 11.0L50.0 6.0L100.0 1.0");
});

test("the line breaks at what is missing and over long pauses", () => {
  assert.equal(sparkPath([0, 10, 20, 30], [1, null, 1, 1], 0, 100, SHAPE).match(/M/g)?.length, 2);
  assert.equal(sparkPath([0, 10, 20, 80, 90], [1, 1, 1, 1, 1], 0, 100, SHAPE).match(/M/g)?.length, 2);
});

test("what is beyond the usual top still fits", () => {
  assert.equal(sparkPath([0], [40], 0, 100, SHAPE), "M0.0 1.0");
});

test("the usual distance is the median, and endless for a single point", () => {
  assert.equal(usualDistance([0, 10, 20, 500]), 10);
  assert.equal(usualDistance([7]), Infinity);
});
