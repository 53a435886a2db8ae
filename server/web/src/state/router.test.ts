import { test } from "node:test";
import assert from "node:assert/strict";
import { choose } from "./language.ts";
import { addressOf, hostPath, placeOf } from "./router.ts";

test("a place is the path below the base and the query", () => {
  assert.equal(placeOf("/pattoo/", "").path, "");
  assert.equal(placeOf("/pattoo/host/alpha/", "").path, "host/alpha");
  assert.equal(placeOf("/pattoo/explore", "?s=1").query.get("s"), "1");
});

test("any name of a host has an address", () => {
  const { path } = placeOf(addressOf(hostPath("a b/ü?#"), new URLSearchParams()), "");
  assert.equal(decodeURIComponent(path.slice("host/".length)), "a b/ü?#");
});

test("the first wanted language that there is", () => {
  assert.equal(choose(["de-AT", "es-MX", "en"]), "es");
  assert.equal(choose(["fr"]), "en");
});
