import { test } from "node:test";
import assert from "node:assert/strict";
import { en } from "./en.ts";
import { es } from "./es.ts";

/** The names of all texts, those within others behind a point. */
function names(texts: object, before = ""): string[] {
  return Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
    typeof value === "object" && value !== null ? names(value, `${before}${key}.`) : [before + key],
  );
}

test("both languages have the same texts, and none is empty", () => {
  assert.deepEqual(names(es).sort(), names(en).sort());
  for (const texts of [en, es]) {
    for (const value of Object.values(texts)) assert.notEqual(value, "");
  }
});
