// A thousand hosts: only what is on the screen is drawn and asked for.

import { test } from "node:test";
import assert from "node:assert/strict";
import { fewFigures, history } from "./machine.ts";
import { postAll } from "./posting.ts";
import { browser, stage, system } from "./stage.ts";
import { Visitor } from "./visitor.ts";
import { waitFor } from "./wait.ts";

const HOSTS = 1_000;
const INTERVAL_MS = 10_000;
const name = (number: number) => `host-${String(number).padStart(4, "0")}`;

stage(async () => {
  const now = Date.now();
  const polls = Array.from({ length: HOSTS }, (_, at) => history(name(at), at, now - 2 * INTERVAL_MS, now, INTERVAL_MS, fewFigures)).flat();
  await postAll(system.agentPort, polls, INTERVAL_MS, 1_000);
});

test("a thousand hosts have room, and only those on the screen are there", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("?sort=host"));
  await visitor.sees(".count", /1,000 hosts/);
  await visitor.sees(".host-row a", /^host-0000$/);
  const rows = () => visitor.page.locator(".host-row").count();
  assert.ok((await rows()) < 60, `${await rows()} rows`);
  await waitFor("sparklines are asked for", async () => visitor.asked.some((query) => query.includes("sparklines")));
  const targets = visitor.asked.filter((query) => query.includes("sparklines")).flatMap((query) => (JSON.parse(query) as { variables: { targets: string[] } }).variables.targets);
  assert.ok(targets.length < 60 && targets.includes(name(0)) && !targets.includes(name(500)), `${targets.length} asked for`);
  await visitor.page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await visitor.sees(".host-row a", /^host-0999$/);
  assert.ok((await rows()) < 60, `${await rows()} rows at the end`);
  await visitor.leavesContent();
});

test("sparklines that the server takes long for come all the same", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  // Longer than the pause after which the ages on the screen are drawn anew.
  await visitor.page.route("**/graphql", async (route) => {
    if (route.request().postData()?.includes("sparklines(")) await new Promise((late) => setTimeout(late, 7_000));
    await route.continue().catch(() => undefined);
  });
  await visitor.page.goto(system.address("?sort=host"));
  await visitor.page.locator('.host-row .spark path[d^="M"]').first().waitFor({ state: "attached" });
  await visitor.leavesContent();
});

test("who comes back from a host sees the list where it was", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("?sort=host"));
  await visitor.sees(".count", /1,000 hosts/);
  await visitor.page.evaluate(() => scrollTo(0, 20_000));
  const link = visitor.page.locator(".host-row a").nth(12);
  let clicked = "";
  await waitFor("the rows further down are there", async () => (clicked = (await link.textContent()) ?? "") !== name(12));
  await link.click();
  await visitor.sees("h1", new RegExp(clicked));
  await visitor.page.waitForFunction(() => scrollY === 0);
  await visitor.page.goBack();
  await waitFor("the row is on the screen", async () => {
    const box = await visitor.page.locator(".host-row", { hasText: clicked }).boundingBox({ timeout: 1_000 }).catch(() => null);
    return box !== null && box.y >= 0 && box.y < 900;
  });
  await visitor.leavesContent();
});

test("searching, sorting and filtering are in the address", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(""));
  await visitor.sees(".count", /1,000 hosts/);
  await visitor.page.keyboard.press("/");
  await visitor.page.keyboard.type("host-012");
  await visitor.sees(".count", /10 of 1,000 hosts/);
  await visitor.page.getByRole("columnheader", { name: "Memory" }).getByRole("button").click();
  const figures = async () => (await visitor.page.locator(".host-row .of-memory .figure").allTextContents()).map(Number.parseFloat);
  // The rows stand where they are moved to, in no order of the document.
  const placed = async () => {
    const order = await visitor.page.locator(".host-row").evaluateAll((all) => all.map((one) => Number(one.getAttribute("aria-rowindex"))));
    const values = await figures();
    return order.map((place, at) => [place, values[at] ?? 0] as const).sort((a, b) => a[0] - b[0]).map(([, value]) => value);
  };
  await waitFor("the fullest memory stands first", async () => (await placed()).every((value, at, all) => at === 0 || value <= (all[at - 1] ?? 0)));
  // The page writes its address a moment later.
  await visitor.page.waitForURL((address) => address.search === "?q=host-012&sort=-memory");
  const again = await Visitor.come(browser, system.origin);
  await again.page.goto(visitor.page.url());
  await again.sees(".count", /10 of 1,000 hosts/);
  await again.page.getByRole("searchbox").fill("nobody");
  await again.sees(".nothing", /No host fits/);
  await again.page.getByRole("button", { name: "Show all" }).click();
  await again.sees(".count", /1,000 hosts/);
  await again.leavesContent();
  await visitor.leavesContent();
});

test("arrow keys go from host to host, Enter opens one", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("?sort=host"));
  await visitor.page.locator(".host-row a", { hasText: /^host-0000$/ }).focus();
  // Keys may come faster than pictures.
  await visitor.page.evaluate(() => (window.requestAnimationFrame = () => 0));
  for (let at = 0; at < 40; at += 1) await visitor.page.keyboard.press("ArrowDown");
  const focused = () => visitor.page.evaluate(() => document.activeElement?.textContent);
  assert.equal(await focused(), "host-0040");
  await visitor.page.keyboard.press("Enter");
  await visitor.sees("h1", /^host-0040$/);
  await visitor.leavesContent();
});

test("no row is wider than the table, however wide the window", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  for (const width of [881, 1_000, 1_280, 1_321, 1_340, 1_920]) {
    await visitor.page.setViewportSize({ width, height: 800 });
    await visitor.page.goto(system.address(""));
    await visitor.sees(".host-row a", /host-/);
    const beyond = await visitor.page.evaluate(() => {
      const right = (selector: string) => document.querySelector(selector)?.getBoundingClientRect().right ?? 0;
      return right(".host-row .of-load .spark") - right(".hosts");
    });
    assert.ok(beyond <= 0, `${beyond} pixels beyond the table at ${width}`);
  }
  await visitor.leavesContent();
});

test("each figure has its last hour beside it, however wide the window", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  for (const width of [360, 881, 1_000, 1_280, 1_340]) {
    await visitor.page.setViewportSize({ width, height: 800 });
    await visitor.page.goto(system.address("?sort=host"));
    const row = visitor.page.locator('.host-row:has(a:text-is("host-0000"))');
    for (const figure of ["cpu", "memory", "disk", "network", "load"]) {
      const spark = row.locator(`.of-${figure} .spark`);
      await spark.locator('path[d^="M"]').first().waitFor({ state: "attached" });
      // Both at once: rows may move from one question to the next.
      const [own, whole] = await spark.evaluate((element) => [element, element.closest(".host-row")].map((one) => one?.getBoundingClientRect().toJSON() as DOMRect | undefined));
      assert.ok(own && own.width >= 30 && own.height >= 10, `${figure} at ${width}: ${JSON.stringify(own)}`);
      assert.ok(whole && own.y + own.height <= whole.y + whole.height, `${figure} at ${width} is below its row`);
    }
  }
  await visitor.leavesContent();
});
