// Someone who looks at the page in a real browser, and notices whatever is wrong.

import { existsSync } from "node:fs";
import assert from "node:assert/strict";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { waitFor } from "./wait.ts";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const PATIENCE_MS = 60_000;

/** What the browser says while the server is away, or goes in the midst of an answer. */
export const AWAY = /ERR_(CONNECTION_(REFUSED|RESET|CLOSED|ABORTED)|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED|CONTENT_LENGTH_MISMATCH)/;

export function browserPath(): string {
  const path = process.env["PATTOO_CHROMIUM"] ?? CANDIDATES.find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error("no Chromium was found: set PATTOO_CHROMIUM");
  return path;
}

export async function openBrowser(): Promise<Browser> {
  // Without a sandbox only as root, where Chromium has none; the page is ours.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: browserPath(), args: [...args, "--js-flags=--expose-gc"] });
}

export interface Looks {
  width?: number;
  height?: number;
  dark?: boolean;
  locale?: string;
  touch?: boolean;
}

export class Visitor {
  /** Errors of the page or the browser. */
  readonly troubles: string[] = [];
  /** Requests that went elsewhere than to the server. */
  readonly strays: string[] = [];
  /** What was asked of GraphQL. */
  readonly asked: string[] = [];

  private constructor(readonly page: Page, private readonly context: BrowserContext) {}

  static async come(browser: Browser, origin: string, looks: Looks = {}): Promise<Visitor> {
    const context = await browser.newContext({
      viewport: { width: looks.width ?? 1_280, height: looks.height ?? 900 },
      colorScheme: looks.dark ? "dark" : "light",
      locale: looks.locale ?? "en-GB",
      timezoneId: "UTC",
      hasTouch: looks.touch ?? false,
      acceptDownloads: true,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const visitor = new Visitor(page, context);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") visitor.troubles.push(message.text());
    });
    page.on("pageerror", (error) => visitor.troubles.push(`uncaught: ${error.message}`));
    page.on("request", (request) => {
      if (!request.url().startsWith(`${origin}/`) && !/^(blob|data):/.test(request.url())) visitor.strays.push(request.url());
      if (request.url().endsWith("/graphql")) visitor.asked.push(request.postData() ?? "");
    });
    // A violation of the policy is also an error of the console; this tells which rule.
    await page.addInitScript(() => addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
    return visitor;
  }

  /** Nothing was wrong, but for what `expected` matches; then the visitor leaves. */
  async leavesContent(expected?: RegExp): Promise<void> {
    const wrong = this.troubles.filter((trouble) => !expected?.test(trouble));
    await this.context.close();
    assert.deepEqual(wrong, [], "errors in the browser");
    assert.deepEqual(this.strays, [], "requests to other servers");
  }

  async leaves(): Promise<void> {
    await this.context.close();
  }

  /** What matches is answered only once the function returned is called, as by a server that is busy. */
  async delays(wanted: string | RegExp, isLate: (posted: string) => boolean = () => true): Promise<() => void> {
    let answer = () => {};
    const gate = new Promise<void>((open) => (answer = open));
    await this.page.route(wanted, async (route) => {
      if (isLate(route.request().postData() ?? "")) await gate;
      // Nobody may wait for it any more.
      await route.fallback().catch(() => undefined);
    });
    return answer;
  }

  /** Text of an element, once it is as wanted. */
  async sees(selector: string, wanted: RegExp): Promise<string> {
    const element = this.page.locator(selector).filter({ hasText: wanted }).first();
    await element.waitFor({ state: "visible" });
    return (await element.textContent()) ?? "";
  }

  /** How many pixels of each column of a chart have the colour of its line, the first being 1. */
  async inkByColumn(title: string, line = 1): Promise<number[]> {
    return this.page.locator(`figure[aria-label="${title}"] canvas`).first().evaluate((canvas: HTMLCanvasElement, name: string) => {
      const { width, height } = canvas;
      if (width === 0) return [];
      // A copy: reading the chart's own canvas would change how it is kept.
      const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
      if (!context) return [];
      context.drawImage(canvas, 0, 0);
      const colour = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
      const wanted = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
      const { data } = context.getImageData(0, 0, width, height);
      const columns = new Array<number>(width).fill(0);
      for (let at = 0; at < data.length; at += 4) {
        const isInk = (data[at + 3] ?? 0) > 100 && wanted.every((part, place) => Math.abs(part - (data[at + place] ?? 0)) < 12);
        if (isInk) columns[(at / 4) % width] = (columns[(at / 4) % width] ?? 0) + 1;
      }
      return columns;
    }, `--line-${line}`);
  }

  async ink(title: string, line = 1): Promise<number> {
    return (await this.inkByColumn(title, line)).reduce((sum, count) => sum + count, 0);
  }

  /** Waits until the line of a chart is drawn. */
  async drawn(title: string, line = 1): Promise<void> {
    await this.page.locator(`figure[aria-label="${title}"]`).scrollIntoViewIfNeeded();
    await waitFor(`${title} is drawn`, async () => (await this.ink(title, line)) > 20);
  }
}
