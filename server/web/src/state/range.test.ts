import { test } from "node:test";
import assert from "node:assert/strict";
import { formatSpan, inAddress, offeredSpans, panned, parseSpan, pinched, rangeOf, scaled, USUAL, type Range } from "./range.ts";

const HOUR_MS = 3_600_000;
const NOW = 1_795_000_000_000;
const read = (text: string) => rangeOf(new URLSearchParams(text));

test("spans are read as they are written", () => {
  for (const text of ["15m", "1h", "24h", "7d", "365d"]) assert.equal(formatSpan(parseSpan(text) ?? 0), text);
  for (const text of ["", "h", "0m", "-1h", "1.5h", "10y", "999999d"]) assert.equal(parseSpan(text), null);
});

test("an address tells the range, and a bad one the usual range", () => {
  assert.deepEqual(read("range=24h"), { kind: "last", spanMs: 24 * HOUR_MS });
  assert.deepEqual(read(`from=${NOW - HOUR_MS}&to=${NOW}`), { kind: "between", fromMs: NOW - HOUR_MS, toMs: NOW });
  assert.deepEqual(read(""), USUAL);
  assert.deepEqual(read(`from=${NOW}&to=${NOW - 1}`), USUAL);
  assert.deepEqual(read("from=1&to=99999999999999999"), USUAL);
  assert.deepEqual(read("from=x&to=y&range=1h"), { kind: "last", spanMs: HOUR_MS });
});

test("what goes into the address comes out of it", () => {
  for (const range of [USUAL, { kind: "between", fromMs: NOW - HOUR_MS, toMs: NOW }] satisfies Range[]) {
    const parts = Object.entries(inAddress(range)).filter((part): part is [string, string] => part[1] !== undefined);
    assert.deepEqual(rangeOf(new URLSearchParams(parts)), range);
  }
});

test("ranges up to the whole retention are offered", () => {
  assert.equal(offeredSpans(3_653).at(-1), 3_653 * 24 * HOUR_MS);
  assert.deepEqual(offeredSpans(1), [15 * 60_000, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS]);
});

test("one pans to the past, and at the present the range is live again", () => {
  const past = panned({ kind: "last", spanMs: HOUR_MS }, -0.5, NOW);
  assert.deepEqual(past, { kind: "between", fromMs: NOW - 1.5 * HOUR_MS, toMs: NOW - 0.5 * HOUR_MS });
  assert.deepEqual(panned(past, 0.5, NOW), { kind: "last", spanMs: HOUR_MS });
  const odd: Range = { kind: "between", fromMs: NOW - 1_234_567, toMs: NOW };
  assert.deepEqual(panned(odd, 1, NOW), odd);
});

test("a longer range ends at the present at the latest", () => {
  const wide = scaled({ kind: "between", fromMs: NOW - 2 * HOUR_MS, toMs: NOW - HOUR_MS }, 4, 1e12, NOW);
  assert.deepEqual(wide, { kind: "between", fromMs: NOW - 4 * HOUR_MS, toMs: NOW });
  assert.deepEqual(scaled(wide, 1_000, 24 * HOUR_MS, NOW), { kind: "between", fromMs: NOW - 24 * HOUR_MS, toMs: NOW });
});

test("two fingers keep hold of what they touched, up to the present and the whole retention", () => {
  const window = { fromMs: NOW - 3 * HOUR_MS, toMs: NOW - HOUR_MS };
  const still = pinched(window, [0.25, 0.75], [0.25, 0.75], 1e12, NOW);
  assert.deepEqual(still, { kind: "between", ...window });
  const closer = pinched(window, [0.25, 0.5], [0.25, 0.75], 1e12, NOW);
  assert.deepEqual(closer, { kind: "between", fromMs: NOW - 2.75 * HOUR_MS, toMs: NOW - 1.75 * HOUR_MS });
  const wider = pinched(window, [0, 1], [0.45, 0.55], 1e12, NOW);
  assert.deepEqual(wider, { kind: "between", fromMs: NOW - 20 * HOUR_MS, toMs: NOW });
  assert.deepEqual(pinched(window, [0, 1], [0.5, 0.5], 4 * HOUR_MS, NOW), { kind: "between", fromMs: NOW - 4 * HOUR_MS, toMs: NOW });
});
