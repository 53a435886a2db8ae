import { test } from "node:test";
import assert from "node:assert/strict";
import { csv } from "./csv.ts";

const points = (timestamps: number[], values: (number | null)[]) => ({ step: null, timestamps, values, lows: null, highs: null, damaged: [] });

test("a line for each time, a column for each series, nothing where nothing is", () => {
  const text = csv("time", ["a", 'b "x", y'], [points([1_000, 2_000], [1, 2.5]), points([2_000, 3_000], [null, 4])], 0, 9_000);
  assert.equal(
    text,
    'time,a,"b ""x"", y"\r\n1970-01-01T00:00:01.000Z,1,\r\n1970-01-01T00:00:02.000Z,2.5,\r\n1970-01-01T00:00:03.000Z,,4\r\n',
  );
});

test("what is not on the screen is left out", () => {
  assert.equal(csv("t", ["a"], [points([1_000, 2_000, 3_000], [1, 2, 3])], 1_500, 2_500), "t,a\r\n1970-01-01T00:00:02.000Z,2\r\n");
});

test("a name that a spreadsheet would reckon is text", () => {
  assert.match(csv("t", ["=1+1", "-5"], [], 0, 1), /^t,'=1\+1,-5\r\n$/);
});
