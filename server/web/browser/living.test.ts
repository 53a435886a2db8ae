// A spoke, a hub and a server that live, and a page that is left open meanwhile.

import { afterEach, test } from "node:test";
import assert from "node:assert/strict";
import { browser, stage, system } from "./stage.ts";
import type { Program } from "./system.ts";
import { AWAY, Visitor } from "./visitor.ts";
import { waitFor } from "./wait.ts";

const FIXTURE = "x86_64-server";

let fixture: Program;
let hub: Program;

stage(async () => {
  const machine = await system.spoke();
  const other = await system.spoke(FIXTURE);
  fixture = other.program;
  machine.program.start();
  fixture.start();
  hub = system.hub([machine.port, other.port]);
  hub.start();
});

// Also behind a test that failed before it started them again.
afterEach(() => [fixture, hub].forEach((program) => program.pid !== 0 || program.start()));

const row = (name: string) => `.host-row:has(a:text-is("${name}"))`;

test("the overview shows every host with its state and its figures", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(""));
  await visitor.sees(`${row(FIXTURE)} .state`, /^\s*up$/);
  await visitor.sees(`${row(FIXTURE)} .of-memory .figure`, /\d %/);
  await visitor.sees(`${row(FIXTURE)} .of-load .figure`, /9\.87 of 64/);
  await visitor.sees(`${row(FIXTURE)} .of-host small`, /6\.1\.0-26-amd64/);
  await visitor.sees(".hub", /reaches 2 of 2/);
  await visitor.sees(".chip.is-up", /2\s*up/);
  await waitFor("a sparkline is drawn", async () =>
    visitor.page.locator(`${row(FIXTURE)} .of-memory .spark path`).evaluate((path) => (path.getAttribute("d") ?? "").startsWith("M")),
  );
  await visitor.sees(".open-badge", /Open to everyone/);
  await visitor.leavesContent();
});

test("a host's view tells what it is, draws it, and goes on by itself", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  // So short that every sample is drawn: a line needs two points.
  await visitor.page.goto(system.address(`host/${FIXTURE}?range=2m`));
  await visitor.sees("h1", new RegExp(FIXTURE));
  await visitor.sees(".facts", /6\.1\.0-26-amd64/);
  await visitor.sees(".facts", /127\.0\.0\.1:\d+/);
  await visitor.drawn("Load average");
  await visitor.sees('figure[aria-label="Load average"] .legend', /1 minute.*9\.87 tasks/);
  await visitor.sees('figure[aria-label="nvme0n1 · requests"] .legend', /Reads/);
  await visitor.drawn("Processes");
  const newest = () => visitor.asked.filter((query) => query.includes("columns(")).length;
  const asked = newest();
  await waitFor("new points are asked for without a reload", async () => newest() > asked);
  await visitor.leavesContent();
});

test("a host that dies is seen to be down, with the reason, and comes back", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(""));
  await visitor.sees(`${row(FIXTURE)} .state`, /up/);
  await fixture.stop("SIGKILL");
  await visitor.sees(`${row(FIXTURE)} .state`, /down/);
  await visitor.sees(`${row(FIXTURE)} .of-host small`, /refused/);
  await visitor.sees(".hub", /1 not reached/);
  await visitor.sees(".hub-name:has(.mark.is-late)", /late$/);
  await visitor.page.locator(".hub summary").click();
  await visitor.sees(".hub td", /refused/);
  fixture.start();
  await visitor.sees(`${row(FIXTURE)} .state`, /up/);
  await visitor.leavesContent();
});

test("a hub that dies is seen to be down, and comes back", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(""));
  await visitor.sees(".hub-name:has(.mark.is-up)", /up$/);
  await hub.stop("SIGKILL");
  await visitor.sees(".hub-name:has(.mark.is-down)", /down$/);
  await visitor.sees(`${row(FIXTURE)} .state`, /down/);
  hub.start();
  await visitor.sees(".hub-name:has(.mark.is-up)", /up$/);
  await visitor.leavesContent();
});

test("a server that goes away is told of, what is drawn stays, and the page goes on when it is back", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(`host/${FIXTURE}?range=2m`));
  await visitor.drawn("Load average");
  await visitor.page.evaluate(() => ((window as { stays?: boolean }).stays = true));
  await system.server.stop();
  await visitor.sees(".notice", /has not answered since \d/);
  assert.ok((await visitor.ink("Load average")) > 20, "what was drawn is still there");
  system.server.start();
  await system.answers();
  await waitFor("the notice goes", async () => (await visitor.page.locator(".notice").count()) === 0);
  const asked = visitor.asked.length;
  await waitFor("it asks again", async () => visitor.asked.length > asked);
  assert.ok(await visitor.page.evaluate(() => (window as { stays?: boolean }).stays), "the page was not loaded anew");
  await visitor.sees(".host-head .state", /up/);
  await visitor.leavesContent(AWAY);
});

test("while the server is away one can go elsewhere and back, and nobody says that it refused", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address(""));
  await visitor.sees(`${row(FIXTURE)} .state`, /up/);
  // All that the view of a host needs, and the others.
  await visitor.page.waitForFunction(() => {
    const wanted = [...document.querySelectorAll<HTMLLinkElement>("link[rel=modulepreload], link[rel=stylesheet]")].map((link) => link.href);
    const there = new Set(performance.getEntriesByType("resource").map((entry) => entry.name));
    return wanted.some((href) => /assets\/host-/.test(href)) && wanted.every((href) => there.has(href));
  });
  await system.server.stop();
  await visitor.page.locator(`${row(FIXTURE)} a`).click();
  await visitor.sees("h1", new RegExp(FIXTURE));
  await visitor.sees(".notice", /has not answered since \d/);
  assert.equal(await visitor.page.locator(".skeletons").count() > 0, true, "there will be charts");
  assert.equal((await visitor.page.locator("[role=alert]").allTextContents()).join(""), "");
  await visitor.page.goBack();
  await visitor.sees(`${row(FIXTURE)} .of-memory .figure`, /\d %/);
  assert.equal((await visitor.page.locator("[role=alert]").allTextContents()).join(""), "");
  await visitor.page.goForward();
  system.server.start();
  await system.answers();
  await visitor.sees('figure[aria-label="Load average"] .legend', /9\.87 tasks/);
  await visitor.leavesContent(AWAY);
});

test("a view whose code could not be loaded while the server was away comes when it is back", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  const code = /assets\/host-/;
  await visitor.page.route(code, (route) => route.abort("connectionrefused"));
  const failed = visitor.page.waitForEvent("requestfailed", (request) => code.test(request.url()));
  await visitor.page.goto(system.address(""));
  await visitor.sees(`${row(FIXTURE)} .state`, /up/);
  await failed;
  await system.server.stop();
  await visitor.page.locator(`${row(FIXTURE)} a`).click();
  await visitor.sees(".notice", /has not answered since \d/);
  await visitor.page.locator(".skeletons").first().waitFor();
  assert.equal(await visitor.page.locator("[role=alert]").count(), 0);
  await visitor.page.unroute(code);
  system.server.start();
  await system.answers();
  await visitor.sees('figure[aria-label="Load average"] .legend', /9\.87 tasks/);
  await visitor.leavesContent(AWAY);
});

test("nothing is asked while nobody looks", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  // Before the page sets its timers, which would else run by the clock of the machine.
  await visitor.page.clock.install();
  // Counted in the page, at the moment when nobody looks any more.
  await visitor.page.addInitScript(() => {
    const { fetch } = window;
    window.fetch = (...question) => {
      (window as { questions?: number }).questions = ((window as { questions?: number }).questions ?? 0) + 1;
      return fetch(...question);
    };
  });
  const questions = () => visitor.page.evaluate(() => (window as { questions?: number }).questions ?? 0);
  await visitor.page.goto(system.address(""));
  await visitor.sees(`${row(FIXTURE)} .state`, /up/);
  const asked = await visitor.page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
    return (window as { questions?: number }).questions ?? 0;
  });
  assert.ok(asked > 0);
  await visitor.page.clock.runFor(120_000);
  assert.equal(await questions(), asked);
  await visitor.page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => false });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await visitor.page.clock.runFor(30_000);
  await waitFor("it asks when somebody looks", async () => (await questions()) > asked);
  await visitor.leavesContent();
});
