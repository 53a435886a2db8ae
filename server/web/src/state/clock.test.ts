import { mock, test } from "node:test";
import assert from "node:assert/strict";
import { now, serverSays } from "./clock.ts";

const NOW_MS = 1_700_000_000_000;
const SECOND_MS = 1_000;

test("an answer that was long under way does not put the clock back, but for what that cannot explain", () => {
  mock.method(Date, "now", () => NOW_MS);
  serverSays(NOW_MS, false);
  serverSays(NOW_MS - 8 * SECOND_MS, true, 8 * SECOND_MS);
  assert.equal(now(), NOW_MS, "the server said so before the stall");
  serverSays(NOW_MS - 60 * SECOND_MS, true, 8 * SECOND_MS);
  assert.ok(now() < NOW_MS - 50 * SECOND_MS, "the clock was wrong");
  serverSays(NOW_MS, true, 8 * SECOND_MS);
  assert.ok(now() >= NOW_MS, "nothing is told before its time");
});
