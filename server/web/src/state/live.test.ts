import { test } from "node:test";
import assert from "node:assert/strict";
import { pauseMs } from "./live.ts";

test("the pauses between tries grow to an end", () => {
  assert.deepEqual([1, 2, 3, 5, 6, 50].map(pauseMs), [1_000, 2_000, 4_000, 16_000, 30_000, 30_000]);
});
