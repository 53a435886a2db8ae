import { test } from "node:test";
import assert from "node:assert/strict";
import { axisTexts, increments, kindOf, withUnits } from "./units.ts";
import { duration } from "./time.ts";

test("what is stored counts in 1,024s and what flows in 1,000s", () => {
  assert.equal(withUnits(1_536, "bytes", "en"), "1.5 KiB");
  assert.equal(withUnits(16 * 1_024 ** 3, "bytes", "en"), "16 GiB");
  assert.equal(withUnits(1_500, "bytes / second", "en"), "1.5 kB/s");
  assert.equal(withUnits(0, "bytes", "en"), "0 B");
});

test("a value just below the next prefix does not become a thousand of the lower", () => {
  assert.equal(withUnits(999_999, "bytes / second", "en"), "1 MB/s");
  assert.equal(withUnits(1_023.9, "bytes", "en"), "1 KiB");
});

test("units are understood in Spanish too, and its numbers have a comma", () => {
  assert.deepEqual(kindOf("bytes / segundo"), kindOf("bytes / second"));
  assert.equal(withUnits(1_500, "bytes / segundo", "es"), "1,5 kB/s");
  assert.equal(withUnits(12.34, "%", "es"), "12,3 %");
});

test("rates of things, long spans and units that nobody knows", () => {
  assert.equal(withUnits(2_500, "switches / second", "en"), "2.5 k/s");
  assert.equal(withUnits(90_061, "seconds", "en"), "1 d 1 h");
  assert.equal(withUnits(21.5, "°C", "en"), "21.5 °C");
  assert.equal(withUnits(3, "", "en"), "3");
});

test("the values of an axis share a prefix and their digits", () => {
  assert.deepEqual(axisTexts([0, 500_000, 1_000_000], "bytes / second", "en"), ["0.0", "0.5 MB/s", "1.0 MB/s"]);
  assert.deepEqual(axisTexts([0, 25, 50], "%", "en"), ["0", "25 %", "50 %"]);
  assert.deepEqual(axisTexts([0, null, 2_000], "MHz", "en"), ["0", "", "2,000"]);
  assert.deepEqual(axisTexts([0, 2_000_000], "", "en"), ["0", "2 M"]);
});

test("a share that grows is told per second, with digits enough to see it", () => {
  assert.equal(withUnits(0.05, "% / second", "en"), "0.05 %/s");
  assert.equal(withUnits(0.000_43, "% / segundo", "es"), "0,00043 %/s");
  assert.equal(withUnits(-2.5, "% / second", "en"), "-2.5 %/s");
  assert.equal(withUnits(3, "% / minute", "en"), "3 % / minute");
  assert.deepEqual(axisTexts([0, 0.000_2, 0.000_4], "% / second", "en"), ["0.0000", "0.0002", "0.0004"]);
  assert.deepEqual(axisTexts([0, 2e-9], "", "en"), ["0", "2E-9"]);
});

test("a span below zero keeps its sign", () => {
  assert.equal(withUnits(-7_200, "seconds", "en"), "-2 h");
  assert.equal(withUnits(-30, "seconds", "en"), "-30 s");
  assert.deepEqual(axisTexts([-3_600, 0, 3_600], "seconds", "en"), ["-1 h", "0 s", "1 h"]);
});

test("what is too great to be read out is told by its power of ten", () => {
  assert.equal(withUnits(1.234e300, "tasks", "en"), "1.23E300 tasks");
  assert.equal(withUnits(-1e300, "bytes / second", "en"), "-1E300 B/s");
  assert.equal(withUnits(9.99e20, "bytes / second", "en"), "999 EB/s");
  assert.equal(withUnits(1e300, "%", "en"), "1E300 %");
  assert.equal(withUnits(1e300, "seconds", "en"), "1E300 s");
  assert.equal(withUnits(1e300, "seconds since 1970", "en"), "1E300 s");
  assert.equal(withUnits(999_999_999_999_999, "", "en"), "999,999,999,999,999");
  assert.deepEqual(axisTexts([0, 5e299, 1e300], "bytes", "en"), ["0", "5E299 B", "1E300 B"]);
});

test("an axis of bytes has steps of powers of two, others none of their own", () => {
  assert.ok(increments("bytes")?.includes(1_024 ** 2));
  assert.equal(increments("bytes / second"), undefined);
});

test("a span is told in the units that matter", () => {
  assert.equal(duration(0.2, "en"), "0 s");
  assert.equal(duration(59.6, "en"), "1 min");
  assert.equal(duration(3_600, "en"), "1 h");
  assert.equal(duration(3_725, "en"), "1 h 2 min");
  assert.equal(duration(3_725, "en", 1), "1 h");
  assert.equal(duration(86_400 + 59, "en"), "1 d");
});
