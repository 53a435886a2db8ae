import { test } from "node:test";
import assert from "node:assert/strict";
import { lazy } from "./lazy.tsx";

test("the code of a view is loaded once, however many want it meanwhile", () => {
  let loads = 0;
  const view = lazy(() => {
    loads += 1;
    return new Promise<never>(() => undefined);
  });
  view.fetch();
  view.fetch();
  assert.equal(loads, 1);
});
