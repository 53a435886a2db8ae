// The place to try queries in: it works where there is no network but the server's.

import { test } from "node:test";
import assert from "node:assert/strict";
import { fewFigures, history } from "./machine.ts";
import { postAll } from "./posting.ts";
import { browser, stage, system } from "./stage.ts";
import { Visitor } from "./visitor.ts";

stage(async () => {
  const now = Date.now();
  await postAll(system.agentPort, history("alpha", 1, now - 60_000, now, 10_000, fewFigures), 10_000);
});

async function open(): Promise<Visitor> {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(`${system.origin}/igraphql`);
  await visitor.sees(".graphiql-query-editor", /overview/);
  return visitor;
}

test("the query that stands there runs, and so does one that is typed", async () => {
  const visitor = await open();
  await visitor.page.getByRole("button", { name: /^Execute query/ }).click();
  await visitor.sees(".result-window", /"target": "alpha"/);
  const editor = visitor.page.locator(".graphiql-query-editor .CodeMirror").first();
  await editor.click();
  await visitor.page.keyboard.press("ControlOrMeta+A");
  await visitor.page.keyboard.type("{ seriesKeys(search: \"memory_percent\") { key hosts ");
  await visitor.page.keyboard.press("ControlOrMeta+Enter");
  await visitor.sees(".result-window", /memory_percent/);
  await visitor.leavesContent();
});

test("what the server refuses is shown with its reason", async () => {
  const visitor = await open();
  await visitor.page.locator(".graphiql-query-editor .CodeMirror").first().click();
  await visitor.page.keyboard.press("ControlOrMeta+A");
  await visitor.page.keyboard.type("{ nothingOfThisName ");
  await visitor.page.keyboard.press("ControlOrMeta+Enter");
  await visitor.sees(".result-window", /nothingOfThisName/);
  await visitor.leavesContent(/status of 400/);
});

test("the schema is told beside it, down to a field", async () => {
  const visitor = await open();
  await visitor.page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const told = visitor.page.locator(".graphiql-doc-explorer");
  await told.getByRole("link", { name: "Query", exact: true }).click();
  await told.getByRole("link", { name: "seriesKeys", exact: true }).click();
  await visitor.sees(".graphiql-doc-explorer", /keys that there are, and how many series have each/);
  const asked = visitor.asked.filter((query) => query.includes("__schema"));
  assert.ok(asked.length > 0, "the schema was asked for");
  await visitor.leavesContent();
});
