// Two days of two machines: looking closer, moving along, exploring.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { history, manyFigures } from "./machine.ts";
import { numbersOf } from "./numbers.ts";
import { postAll } from "./posting.ts";
import { browser, stage, system } from "./stage.ts";
import { Visitor } from "./visitor.ts";
import { waitFor } from "./wait.ts";

const HOUR_MS = 3_600_000;
const INTERVAL_MS = 300_000;
const HOSTS = ["alpha", "beta"];

stage(async () => {
  const now = Date.now();
  const pause: [number, number] = [now - 6 * HOUR_MS, now - 4 * HOUR_MS];
  for (const [seed, host] of HOSTS.entries()) {
    await postAll(system.agentPort, history(host, seed + 1, now - 48 * HOUR_MS, now, INTERVAL_MS, manyFigures, pause), INTERVAL_MS, 100);
  }
});

const CHART = "CPU by mode";

async function windowOf(visitor: Visitor): Promise<number> {
  const { searchParams } = new URL(visitor.page.url());
  return Number(searchParams.get("to")) - Number(searchParams.get("from"));
}

async function drag(visitor: Visitor, title: string, from: number, to: number): Promise<void> {
  const box = await visitor.page.locator(`figure[aria-label="${title}"] .u-over`).boundingBox();
  assert.ok(box);
  const y = box.y + box.height / 2;
  await visitor.page.mouse.move(box.x + box.width * from, y);
  await visitor.page.mouse.down();
  await visitor.page.mouse.move(box.x + box.width * (from + to) / 2, y, { steps: 4 });
  await visitor.page.mouse.move(box.x + box.width * to, y, { steps: 4 });
  await visitor.page.mouse.up();
}

test("a drag zooms in, Esc and the browser's Back go out again", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("host/alpha?range=24h"));
  await visitor.drawn(CHART);
  await drag(visitor, CHART, 0.25, 0.5);
  await waitFor("the range is a quarter of a day", async () => Math.abs((await windowOf(visitor)) / HOUR_MS - 6) < 0.5);
  await visitor.drawn(CHART);
  await drag(visitor, CHART, 0.5, 0.75);
  await waitFor("the range is a quarter of that", async () => Math.abs((await windowOf(visitor)) / HOUR_MS - 1.5) < 0.2);
  await visitor.page.keyboard.press("Escape");
  await waitFor("back once", async () => Math.abs((await windowOf(visitor)) / HOUR_MS - 6) < 0.5);
  await visitor.page.goBack();
  await waitFor("back at the start", async () => visitor.page.url().includes("range=24h"));
  await visitor.sees(".live", /^Live$/);
  await visitor.leavesContent();
});

test("arrow keys and Shift with the mouse pan; what is drawn stays meanwhile", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("host/alpha?range=24h"));
  await visitor.drawn(CHART);
  await visitor.page.keyboard.press("ArrowLeft");
  await waitFor("a day, earlier", async () => Math.abs((await windowOf(visitor)) / HOUR_MS - 24) < 0.1);
  assert.ok((await visitor.ink(CHART)) > 20);
  const before = new URL(visitor.page.url()).searchParams.get("from");
  await visitor.page.keyboard.down("Shift");
  await drag(visitor, CHART, 0.3, 0.6);
  await visitor.page.keyboard.up("Shift");
  await waitFor("earlier still", async () => Number(new URL(visitor.page.url()).searchParams.get("from")) < Number(before));
  assert.ok(Math.abs((await windowOf(visitor)) / HOUR_MS - 24) < 0.1, "as long as before");
  await visitor.page.keyboard.press("l");
  await waitFor("live again", async () => visitor.page.url().includes("range=24h"));
  await visitor.leavesContent();
});

test("one cursor is shared by all charts, with values in their legends", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("host/alpha?range=24h"));
  await visitor.drawn("Load average");
  await visitor.drawn("Memory");
  const box = await visitor.page.locator('figure[aria-label="Load average"] .u-over').boundingBox();
  assert.ok(box);
  await visitor.page.mouse.move(box.x + box.width * 0.3, box.y + 40);
  const note = (title: string) => visitor.page.locator(`figure[aria-label="${title}"] .chart-note`).textContent();
  await waitFor("the time of the cursor", async () => /\d\d:\d\d:\d\d/.test((await note("Load average")) ?? ""));
  assert.equal(await note("Memory"), await note("Load average"));
  const value = async (title: string) => visitor.page.locator(`figure[aria-label="${title}"] .legend-value`).first().textContent();
  const there = await value("Memory");
  assert.match(there ?? "", /GiB/);
  await visitor.page.mouse.move(box.x + box.width * 0.6, box.y + 40);
  await waitFor("values follow the cursor", async () => (await value("Memory")) !== there);
  await visitor.leavesContent();
});

test("a gap is drawn as a gap", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  // From seven to three hours ago; the two in the middle are missing.
  const now = Date.now();
  await visitor.page.goto(system.address(`host/alpha?from=${now - 7 * HOUR_MS}&to=${now - 3 * HOUR_MS}`));
  await visitor.drawn("Memory in use");
  const columns = (await visitor.inkByColumn("Memory in use")).map((count) => count > 0);
  const first = columns.indexOf(true);
  const last = columns.lastIndexOf(true);
  const middle = columns.slice(Math.round(first + (last - first) * 0.35), Math.round(first + (last - first) * 0.65));
  assert.ok(first >= 0 && last > first && !middle.includes(true), "the middle is empty");
  await visitor.leavesContent();
});

test("Explore finds series, draws several, and its address brings them back", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("explore"));
  await visitor.page.getByRole("searchbox").fill("load_average_01min");
  // A list that is about to be another may lose a click.
  const found = visitor.page.locator('.found[aria-busy="false"]');
  await found.waitFor();
  await visitor.page.locator(".found-row:not(.is-series)").filter({ hasText: "over 1 minute" }).first().click();
  await found.waitFor();
  for (const host of HOSTS) await visitor.page.locator(".found-row.is-series").filter({ hasText: host }).first().click();
  await visitor.drawn("Load average over 1 minute", 1);
  await visitor.drawn("Load average over 1 minute", 2);
  // The page writes its address a moment later.
  await visitor.page.waitForURL((address) => /^\d+,\d+$/.test(address.searchParams.get("s") ?? ""));
  const again = await Visitor.come(browser, system.origin);
  await again.page.goto(visitor.page.url());
  await again.drawn("Load average over 1 minute", 2);
  await again.sees(".legend", /alpha.*beta/);
  await again.page.locator(".picked li").first().getByRole("button", { name: "rate" }).click();
  await waitFor("one of them as a rate, on a chart of its own", async () => (await again.page.locator("figure.chart").count()) === 2);
  // What the legend hides is not in the address, and the page says so.
  const shown = again.page.locator(".legend button").first();
  await shown.click();
  assert.equal(await shown.getAttribute("aria-pressed"), "false");
  await again.page.waitForURL((address) => /r\d/.test(address.searchParams.get("s") ?? ""));
  await again.page.reload();
  await waitFor("both charts are back", async () => (await again.page.locator("figure.chart").count()) === 2);
  assert.equal(await shown.getAttribute("aria-pressed"), "true");
  await again.leavesContent();
  await visitor.leavesContent();
});

test("what is drawn can be taken away as CSV", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("explore?range=1h&q=memory_percent alpha"));
  await visitor.page.locator(".found-row.is-series").first().click();
  await visitor.drawn("Memory in use");
  const [download] = await Promise.all([visitor.page.waitForEvent("download"), visitor.page.getByRole("button", { name: "CSV" }).click()]);
  const lines = readFileSync(await download.path(), "utf8").trim().split("\r\n");
  assert.equal(lines[0], "time,alpha (%)");
  assert.ok(lines.length >= 10 && lines.length <= 14, `${lines.length} lines for an hour at five minutes`);
  assert.match(lines[1] ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z,\d+(\.\d+)?$/);
  await visitor.leavesContent();
});

/** Ten figures, of as many units as there are: charts below each other, most of them far from the screen. */
const FIGURES = [
  "memory_used", "process_count", "load_average_01min", "uptime", "cpu_frequency",
  "memory_percent", "cpu_stats_ctx_switches", "swap_memory_sin", "disk_io_read_time", "network_io_packets_recv",
];

/** Commas, but for those within quotes. */
const COMMA = /,(?=(?:[^"]*"[^"]*")*[^"]*$)/;

/** The heads of the columns, and the rows. */
async function taken(visitor: Visitor, click: () => Promise<unknown>): Promise<{ names: string[]; rows: string[][] }> {
  const [download] = await Promise.all([visitor.page.waitForEvent("download"), click()]);
  const [names = [], ...rows] = readFileSync(await download.path(), "utf8").trim().split("\r\n").map((line) => line.split(COMMA));
  return { names, rows };
}

test("the CSV of many charts has every line by its name, over the range that was just chosen, and none that is hidden", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  const numbers = await numbersOf(visitor, "alpha", FIGURES);
  await visitor.page.goto(system.address(`explore?range=1h&s=${numbers.join(",")}`));
  await visitor.page.locator("figure.chart .legend-value", { hasText: /\d/ }).first().waitFor();
  // No scrolling to the button, which would bring other charts near.
  const button = visitor.page.getByRole("button", { name: "CSV" });
  const click = () => button.evaluate((element: HTMLElement) => element.click());
  const all = await taken(visitor, click);
  assert.equal(all.names.length, 1 + FIGURES.length);
  assert.equal(new Set(all.names).size, all.names.length, `names that tell: ${all.names.join(", ")}`);
  const empty = all.names.filter((_, at) => all.rows.every((row) => row[at] === ""));
  assert.deepEqual(empty, [], "columns without a figure");

  const day = visitor.page.locator(".spans button", { hasText: "24 h" });
  const later = await taken(visitor, () => day.evaluate((element: HTMLElement) => {
    element.click();
    [...document.querySelectorAll<HTMLElement>(".actions button")].find((one) => one.textContent?.includes("CSV"))?.click();
  }));
  const spanMs = Date.parse(later.rows.at(-1)?.[0] ?? "") - Date.parse(later.rows[0]?.[0] ?? "");
  assert.ok(spanMs > 20 * HOUR_MS, `a day, and not ${spanMs / HOUR_MS} h`);

  // Both before the next picture.
  const fewer = await taken(visitor, () => visitor.page.evaluate(async () => {
    document.querySelector<HTMLElement>("figure.chart .legend button")?.click();
    await Promise.resolve();
    [...document.querySelectorAll<HTMLElement>(".actions button")].find((one) => one.textContent?.includes("CSV"))?.click();
  }));
  assert.deepEqual(fewer.names, all.names.filter((_, at) => at !== 1));
  await visitor.leavesContent();
});

test("points are asked for once, however late the interval of the host is told", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  const answer = await visitor.delays("**/graphql", (posted) => posted.includes("query Host("));
  await visitor.page.goto(system.address("host/alpha?range=24h"));
  await visitor.page.locator(".plot.is-waiting").first().waitFor();
  // Time enough to ask with another.
  await visitor.page.waitForTimeout(300);
  answer();
  await visitor.drawn("CPU by mode");
  const steps = visitor.asked.filter((query) => query.includes("columns(")).map((query) => (JSON.parse(query) as { variables: { step: number | null } }).variables.step);
  assert.equal(new Set(steps).size, 1, `of one step, and not ${steps.join(", ")}`);
  await visitor.leavesContent();
});

test("who comes back to a host is where they were, also if its series come late", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("host/alpha?range=24h"));
  await visitor.drawn("Processes");
  const before = await visitor.page.evaluate(() => scrollY);
  assert.ok(before > 500, `far enough down: ${before}`);
  await visitor.page.evaluate(() => document.querySelector<HTMLElement>("nav a[href$=charts]")?.click());
  await visitor.sees("h1", /^Charts$/);
  // Longer than it takes where nobody is busy.
  await visitor.page.route("**/graphql", async (route) => {
    if (route.request().postData()?.includes("query Series(")) await new Promise((late) => setTimeout(late, 4_000));
    await route.continue().catch(() => undefined);
  });
  await visitor.page.goBack();
  await waitFor("it is at the same place", async () => Math.abs((await visitor.page.evaluate(() => scrollY)) - before) < 2);
  await visitor.leavesContent();
});

test("the language that was chosen last is spoken, and English where the words of another do not come", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  const answer = await visitor.delays(/assets\/es-.*\.js/);
  await visitor.page.goto(system.address("charts"));
  const asked = visitor.page.waitForRequest(/assets\/es-.*\.js/);
  const choice = visitor.page.locator("footer select");
  await choice.selectOption("es");
  await asked;
  await choice.selectOption("en");
  answer();
  await visitor.page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name }) => /assets\/es-/.test(name)));
  await visitor.page.evaluate(() => new Promise((drawn) => setTimeout(drawn)));
  await visitor.sees("nav", /Overview/);
  await visitor.leavesContent();

  const other = await Visitor.come(browser, system.origin, { locale: "es-ES" });
  await other.page.route(/assets\/es-.*\.js/, (route) => route.abort());
  await other.page.goto(system.address("charts"));
  await other.sees("nav", /Overview/);
  await other.leavesContent(/ERR_FAILED/);
});

test("the page and the names of figures are in the browser's language", async () => {
  const visitor = await Visitor.come(browser, system.origin, { locale: "es-ES" });
  await visitor.page.goto(system.address("host/alpha?range=24h"));
  await visitor.drawn("Carga media");
  await visitor.sees('figure[aria-label="CPU por modo"] .legend', /El núcleo/);
  await visitor.sees("nav", /Resumen/);
  await visitor.leavesContent();
});

test("dark and light follow the system, and a switch is remembered", async () => {
  const visitor = await Visitor.come(browser, system.origin, { dark: true });
  await visitor.page.goto(system.address("host/alpha?range=24h"));
  await visitor.drawn("Load average");
  const ground = () => visitor.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await ground();
  await visitor.page.getByRole("button", { name: /^Colours/ }).click();
  await waitFor("light", async () => (await ground()) !== dark);
  await visitor.drawn("Load average");
  await visitor.page.reload();
  await visitor.drawn("Load average");
  assert.notEqual(await ground(), dark);
  await visitor.leavesContent();
});

test("a browser that lets the page remember nothing shows it all the same", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", {
      get() {
        throw new DOMException("denied", "SecurityError");
      },
    });
  });
  await visitor.page.goto(system.address(""));
  await visitor.sees(".host-row a", /^alpha$/);
  await visitor.page.getByRole("button", { name: /^Colours/ }).click();
  await visitor.page.getByRole("button", { name: "Colours: light" }).waitFor();
  await visitor.leavesContent();
});

test("the colours that were chosen are there before anything is painted", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.addInitScript(() => {
    localStorage.setItem("pattoo.theme", "dark");
    const grounds: string[] = ((window as { grounds?: string[] }).grounds = []);
    const look = () => {
      grounds.push(getComputedStyle(document.documentElement).backgroundColor);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  // Time enough to paint without it.
  await visitor.page.route(/\.js$/, async (route) => {
    await new Promise((late) => setTimeout(late, 400));
    await route.continue();
  });
  await visitor.page.goto(system.address(""));
  await visitor.sees(".host-row a", /^alpha$/);
  const grounds = new Set(await visitor.page.evaluate(() => (window as { grounds?: string[] }).grounds ?? []));
  const dark = await visitor.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  assert.deepEqual([...grounds], [dark]);
  await visitor.leavesContent();
});

test("a chart of a host leads to its lines in Explore, over the same range", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("host/alpha?range=24h"));
  await visitor.drawn("Load average");
  await visitor.page.getByRole("link", { name: "Load average" }).click();
  await visitor.sees("h1", /^alpha: Load average$/);
  assert.equal(await visitor.page.getByRole("combobox", { name: "Time range" }).inputValue(), String(24 * HOUR_MS));
  await waitFor("its three lines", async () => (await visitor.page.locator(".picked li").count()) === 3);
  await visitor.leavesContent();
});

test("nothing is wider than the window, however wide that is", async () => {
  const visitor = await Visitor.come(browser, system.origin, { locale: "es-ES" });
  for (const path of ["host/alpha?range=24h", "explore?range=24h&q=load_average alpha", "charts"]) {
    await visitor.page.goto(system.address(path));
    await visitor.page.locator("main h1").first().waitFor();
    if (path.startsWith("host")) await visitor.drawn("Carga media");
    if (path.startsWith("explore")) {
      await visitor.page.locator(".found-row.is-series").first().click();
      await visitor.page.locator("figure.chart .legend-value", { hasText: /\d/ }).waitFor();
    }
    for (const width of [761, 901, 1_101, 1_340, 1_421, 1_920]) {
      await visitor.page.setViewportSize({ width, height: 800 });
      const beyond = () => visitor.page.evaluate(() => {
        const within = document.querySelector("main")?.getBoundingClientRect().right ?? 0;
        const parts = [...document.querySelectorAll("main .range-bar > *, main .card, main .actions > *, main .picked li > *")];
        return Math.max(0, ...parts.map((part) => part.getBoundingClientRect().right)) - within;
      });
      await waitFor(`/${path} fits ${width}`, async () => (await beyond()) <= 0, 10_000);
    }
  }
  await visitor.leavesContent();
});

test("on a phone nothing is wider than the screen", async () => {
  const now = Date.now();
  const fixed = `from=${now - 30 * HOUR_MS}&to=${now - 6 * HOUR_MS}`;
  for (const locale of ["en-GB", "es-ES"]) {
    const visitor = await Visitor.come(browser, system.origin, { height: 740, touch: true, locale });
    for (const width of [320, 360]) {
      await visitor.page.setViewportSize({ width, height: 740 });
      for (const path of ["", "host/alpha?range=24h", `host/alpha?${fixed}`, "explore?q=load", `explore?${fixed}`, "charts", "signin"]) {
        await visitor.page.goto(system.address(path));
        await visitor.page.locator("main h1, main .message").first().waitFor({ state: "attached" });
        if (path === "") await visitor.sees(".host-row a", /^alpha$/);
        if (path.startsWith("host")) await visitor.drawn(locale === "en-GB" ? "Load average" : "Carga media");
        const [wide, screen] = await visitor.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok((wide ?? 0) <= width && screen === width, `/${path} is ${wide} wide on ${width} in ${locale}`);
        const beyond = await visitor.page.evaluate(() => [...document.querySelectorAll(".bar *, .range-bar > *")]
          .filter((part) => part.getBoundingClientRect().right > innerWidth).map((part) => part.className));
        assert.deepEqual(beyond, [], `/${path} on ${width} in ${locale}`);
      }
    }
    await visitor.leavesContent();
  }
});

test("on a phone one can tell which day one looks at, and go back to now", async () => {
  const visitor = await Visitor.come(browser, system.origin, { width: 360, height: 800, touch: true });
  await visitor.page.goto(system.address(`host/alpha?from=${Date.UTC(2026, 1, 3, 4)}&to=${Date.UTC(2026, 1, 3, 10)}`));
  await visitor.sees(".range-text", /3 Feb 2026/);
  await visitor.page.getByRole("button", { name: "Back to live" }).tap();
  await visitor.sees(".live", /^Live$/);
  assert.ok(!(await visitor.page.locator(".range-text").isVisible()), "what is live ends now");
  await visitor.leavesContent();
});

test("an address that leads nowhere says so", async () => {
  const visitor = await Visitor.come(browser, system.origin);
  await visitor.page.goto(system.address("nowhere"));
  await visitor.sees(".message", /nothing at this address/);
  await visitor.page.goto(system.address("host/nobody"));
  await visitor.sees(".message", /No host called nobody/);
  await visitor.leavesContent();
});
