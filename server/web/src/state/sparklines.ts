// The last hour of the hosts that are on the screen: asked for together, kept for
// a minute, and forgotten when too many others came after.

import { askSparklines, type HostFigure, type Sparkline } from "../api/overview.ts";
import { Store } from "./store.ts";

export const SPARK_FIGURES: readonly HostFigure[] = ["CPU", "MEMORY", "DISK", "RECEIVED", "SENT", "LOAD"];
export const SPARK_MINUTES = 60;
const POINTS = 60;
const FRESH_MS = 60_000;
const MOST_KEPT = 400;
const MOST_ASKED = 60;
/** Rows that fly by while one scrolls are not asked for. */
const SETTLED_MS = 80;

export type Sparks = Partial<Record<HostFigure, Sparkline>>;

interface Kept {
  sparks: Sparks;
  askedMs: number;
}

export class Sparklines {
  /** Counts up with every answer. */
  readonly version = new Store(0);
  private readonly kept = new Map<string, Kept>();
  private wanted: string[] = [];
  private timer = 0;
  private asking: AbortController | null = null;
  private underWay: ReadonlySet<string> = new Set();

  of(target: string): Sparks | undefined {
    return this.kept.get(target)?.sparks;
  }

  /** These hosts are on the screen now. */
  want(targets: string[]): void {
    this.wanted = targets;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), SETTLED_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.asking?.abort();
  }

  private async ask(): Promise<void> {
    const old = performance.now() - FRESH_MS;
    const stale = this.wanted.filter((target) => (this.kept.get(target)?.askedMs ?? -Infinity) < old);
    if (stale.length === 0 || document.hidden) return;
    const targets = stale.slice(0, MOST_ASKED);
    // The same rows are wanted again each time that the table is drawn: a slow answer may come.
    if (this.asking && targets.every((target) => this.underWay.has(target))) return;
    this.asking?.abort();
    const own = new AbortController();
    this.asking = own;
    this.underWay = new Set(targets);
    try {
      const lines = await askSparklines(targets, SPARK_FIGURES, SPARK_MINUTES, POINTS, own.signal);
      this.take(targets, lines);
    } catch {
      // The overview itself, asked at its interval, tells of a server that is away.
      return;
    } finally {
      if (this.asking === own) this.asking = null;
    }
    if (stale.length > MOST_ASKED) void this.ask();
  }

  private take(targets: string[], lines: Sparkline[]): void {
    const askedMs = performance.now();
    for (const target of targets) {
      this.kept.delete(target);
      this.kept.set(target, { sparks: {}, askedMs });
    }
    for (const line of lines) {
      const kept = this.kept.get(line.target);
      if (kept && line.values.length > 0) kept.sparks[line.figure] = line;
    }
    for (const target of this.kept.keys()) {
      if (this.kept.size <= MOST_KEPT) break;
      this.kept.delete(target);
    }
    this.version.set(this.version.get() + 1);
  }
}
