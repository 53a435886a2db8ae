// The points of the charts that are near the screen: asked for in few questions,
// joined to what is there, and kept while new ones come.

import { askColumns, type Answer, type Columns } from "../api/columns.ts";
import { reasonOf, Refused } from "../api/faults.ts";
import { finished, joined, unbroken, type Points } from "../series/points.ts";
import { stepFor } from "../series/steps.ts";
import { gathered, tailFrom, type Tail } from "../series/tails.ts";
import { now } from "./clock.ts";
import type { Window } from "./range.ts";
import { Store } from "./store.ts";

/** A series, as it is or as its growth per second. */
export interface Line {
  idx: string;
  rate: boolean;
}

interface Kept extends Window {
  points: Points;
  /** As it was asked for. */
  stepMs: number | null;
  /** When all of the window was asked for, by the browser's clock that only goes on. */
  wholeAt: number;
}

/** A question that is to be asked. */
interface Task {
  lines: Line[];
  window: Window;
  /** Of all of the window, and not only of its end. */
  isWhole: boolean;
}

const MOST_SERIES = 24;
const QUESTIONS_AT_ONCE = 3;
/** While the range is dragged along, only where it comes to rest is asked for. */
const SETTLE_MS = 120;
/** Newest points are asked for again: more samples may have come to them. */
const AGAIN_STEPS = 2;
const AGAIN_MS = 60_000;
/** What was refused is left out for so long. */
const REFUSED_MS = 60_000;
/** So often all of the window is: samples may have come late, between others. */
const WHOLE_MS = 300_000;
/** After the server was away it is, but not each time where it comes and goes. */
const LEAST_WHOLE_MS = 30_000;

export const keyOf = (line: Line) => (line.rate ? `r${line.idx}` : line.idx);

export class Feed {
  /** Counts up with every answer. */
  readonly version = new Store(0);
  readonly window: Store<Window>;
  /** Why points are missing that were asked for; null while none are. */
  readonly fault = new Store<unknown>(null);
  /** Called when a line is wanted that is not there. */
  onWant: () => void = () => undefined;
  private readonly wanted = new Map<string, { line: Line; holders: number }>();
  private readonly kept = new Map<string, Kept>();
  /** What the server refuses to tell: of a series that is no more, say. */
  private readonly refused = new Map<string, { fault: Refused; stepMs: number | null; untilMs: number }>();
  private lookedMs = -Infinity;
  /** Of the look that is under way. */
  private widen: (() => void) | null = null;

  constructor(window: Window, private readonly points: number, public intervalMs: number) {
    this.window = new Store(window);
  }

  of(line: Line): Points | undefined {
    return this.kept.get(keyOf(line))?.points;
  }

  /** Wants these lines until the function returned is called. */
  hold(lines: readonly Line[]): () => void {
    for (const line of lines) {
      const key = keyOf(line);
      const held = this.wanted.get(key);
      if (held) held.holders += 1;
      else this.wanted.set(key, { line, holders: 1 });
    }
    if (lines.some((line) => !this.kept.has(keyOf(line)))) this.onWant();
    else if (lines.some((line) => this.lacks(keyOf(line)))) this.onWant();
    return () => {
      for (const line of lines) {
        const key = keyOf(line);
        const held = this.wanted.get(key);
        if (held && (held.holders -= 1) === 0) this.wanted.delete(key);
      }
      this.forget();
    };
  }

  /** The points of these lines over a window, whether or not they are near the screen. Nothing of it is kept. */
  async read(lines: readonly Line[], window: Window, signal: AbortSignal): Promise<Map<string, Points>> {
    const stepMs = stepFor(window.toMs - window.fromMs, this.points, this.intervalMs);
    const found = new Map<string, Points>();
    for (const part of chunks([...lines])) {
      const { gauges, rates } = await this.question(part, window, stepMs, signal);
      for (const columns of gauges) found.set(keyOf({ idx: columns.idxDatapoint, rate: false }), columns);
      for (const columns of rates) found.set(keyOf({ idx: columns.idxDatapoint, rate: true }), whole(columns, window.toMs));
    }
    return found;
  }

  step(): number | null {
    const { fromMs, toMs } = this.window.get();
    return stepFor(toMs - fromMs, this.points, this.intervalMs);
  }

  /** Moves to a window, and asks for what it lacks. */
  async look(window: Window, signal: AbortSignal): Promise<void> {
    const before = this.window.get();
    this.window.set(window);
    const moved = Math.abs(window.fromMs - before.fromMs) > SETTLE_MS * 10;
    const hurried = moved && performance.now() - this.lookedMs < SETTLE_MS;
    this.lookedMs = performance.now();
    if (hurried) await new Promise((rest) => setTimeout(rest, SETTLE_MS));
    if (signal.aborted) return;
    try {
      await this.ask(signal);
      this.fault.set(this.refusal());
    } catch (fault) {
      if (!signal.aborted && reasonOf(fault) !== null) this.fault.set(fault);
      throw fault;
    }
  }

  /** Asks also for what has come to be wanted, if a look is under way. Whether one is. */
  join(): boolean {
    this.widen?.();
    return this.widen !== null;
  }

  /** The server was away: what it took in meanwhile may stand anywhere in the window. */
  doubt(): void {
    for (const kept of this.kept.values()) {
      if (performance.now() - kept.wholeAt >= LEAST_WHOLE_MS) kept.wholeAt = -Infinity;
    }
  }

  private isOld(kept: Kept): boolean {
    return performance.now() - kept.wholeAt >= WHOLE_MS;
  }

  private lacks(key: string): boolean {
    const kept = this.kept.get(key);
    const { fromMs, toMs } = this.window.get();
    return !kept || kept.stepMs !== this.step() || kept.fromMs > fromMs || kept.toMs < toMs || this.isOld(kept);
  }

  private async ask(signal: AbortSignal): Promise<void> {
    const window = this.window.get();
    const stepMs = this.step();
    const underWay = new Set<string>();
    let widen = () => {};
    try {
      await new Promise<void>((done, fail) => {
        let waiting: Task[] = [];
        let busy = 0;
        const go = () => {
          while (busy < QUESTIONS_AT_ONCE) {
            const task = waiting.shift();
            if (!task) break;
            const keys = task.lines.map(keyOf);
            keys.forEach((key) => underWay.add(key));
            busy += 1;
            this.fetch(task.lines, task.window, stepMs, signal, task.isWhole).then(() => {
              keys.forEach((key) => underWay.delete(key));
              busy -= 1;
              go();
            }, fail);
          }
          if (busy === 0) done();
        };
        widen = () => {
          waiting = this.tasks(window, stepMs, underWay);
          go();
        };
        this.widen = widen;
        widen();
      });
    } finally {
      if (this.widen === widen) this.widen = null;
    }
  }

  /** The questions for what the window lacks, but for what is under way. */
  private tasks(window: Window, stepMs: number | null, underWay: ReadonlySet<string>): Task[] {
    const again = Math.max((stepMs ?? 0) * AGAIN_STEPS, AGAIN_MS, this.intervalMs * AGAIN_STEPS);
    const whole: Line[] = [];
    const tails: Tail<Line>[] = [];
    for (const [key, { line }] of this.wanted) {
      const kept = this.kept.get(key);
      if (underWay.has(key) || !this.lacks(key) || this.isRefused(key, stepMs)) continue;
      // Live, only the newest minutes are missing.
      if (kept && !this.isOld(kept) && kept.stepMs === stepMs && kept.fromMs <= window.fromMs && kept.toMs > window.fromMs) {
        tails.push({ line, fromMs: tailFrom(kept.points, window.fromMs, kept.toMs, again) });
      } else {
        whole.push(line);
      }
    }
    const inSteps = (ms: number) => (stepMs === null ? ms : Math.floor(ms / stepMs) * stepMs);
    return [
      ...gathered(tails, window.toMs, MOST_SERIES).map(({ lines, fromMs }) => ({ lines, window: { ...window, fromMs: inSteps(fromMs) }, isWhole: false })),
      ...chunks(whole).map((lines) => ({ lines, window, isWhole: true })),
    ];
  }

  private isRefused(key: string, stepMs: number | null): boolean {
    const known = this.refused.get(key);
    return known !== undefined && known.stepMs === stepMs && known.untilMs > performance.now();
  }

  /** Why one of the wanted lines is refused, if one is. */
  private refusal(): Refused | null {
    for (const key of this.wanted.keys()) {
      const known = this.refused.get(key);
      if (known) return known.fault;
    }
    return null;
  }

  /** What is refused is asked for in halves, so that a line that nobody can have takes none of the others along. */
  private async question(lines: Line[], window: Window, stepMs: number | null, signal: AbortSignal): Promise<Answer> {
    try {
      const answer = await this.columns(lines, window, stepMs, signal);
      for (const line of lines) this.refused.delete(keyOf(line));
      return answer;
    } catch (fault) {
      const [only, ...others] = lines;
      if (!(fault instanceof Refused) || !only) throw fault;
      if (others.length === 0) {
        this.refused.set(keyOf(only), { fault, stepMs, untilMs: performance.now() + REFUSED_MS });
        return { gauges: [], rates: [] };
      }
      const middle = lines.length >> 1;
      const first = await this.question(lines.slice(0, middle), window, stepMs, signal);
      const second = await this.question(lines.slice(middle), window, stepMs, signal);
      return { gauges: [...first.gauges, ...second.gauges], rates: [...first.rates, ...second.rates] };
    }
  }

  private columns(lines: Line[], window: Window, stepMs: number | null, signal: AbortSignal): Promise<Answer> {
    const of = (rate: boolean) => lines.filter((line) => line.rate === rate).map((line) => line.idx);
    // A point before the left edge lets lines begin at it; the end is not included.
    const before = stepMs ?? this.intervalMs;
    const fromMs = Math.max(0, Math.floor(window.fromMs - before));
    const toMs = Math.ceil(window.toMs) + 1;
    return askColumns({ gauges: of(false), rates: of(true), fromMs, toMs, stepMs }, signal);
  }

  private async fetch(lines: Line[], window: Window, stepMs: number | null, signal: AbortSignal, isWhole: boolean): Promise<void> {
    const answer = await this.question(lines, window, stepMs, signal);
    if (signal.aborted) return;
    for (const columns of answer.gauges) this.take(columns, false, window, stepMs, isWhole);
    for (const columns of answer.rates) this.take(columns, true, window, stepMs, isWhole);
    this.version.set(this.version.get() + 1);
  }

  private take(columns: Columns, rate: boolean, asked: Window, stepMs: number | null, isWhole: boolean): void {
    const key = keyOf({ idx: columns.idxDatapoint, rate });
    const old = this.kept.get(key);
    const joins = !isWhole && old && old.stepMs === stepMs && old.fromMs < asked.fromMs && old.toMs >= asked.fromMs && old.toMs <= asked.toMs;
    const { fromMs } = this.window.get();
    const slack = stepMs ?? this.intervalMs;
    const newer = rate ? whole(columns, asked.toMs) : columns;
    this.kept.set(key, {
      points: joins ? joined(old.points, newer, fromMs - slack) : newer,
      fromMs: joins ? Math.max(old.fromMs, fromMs) : asked.fromMs,
      toMs: asked.toMs,
      stepMs,
      wholeAt: isWhole ? performance.now() : (old?.wholeAt ?? -Infinity),
    });
  }

  /** Keeps no more than twice what is wanted. */
  private forget(): void {
    for (const key of this.refused.keys()) {
      if (!this.wanted.has(key)) this.refused.delete(key);
    }
    for (const key of this.kept.keys()) {
      if (this.kept.size <= 2 * this.wanted.size + MOST_SERIES) break;
      if (!this.wanted.has(key)) this.kept.delete(key);
    }
  }
}

/** The points of a rate that stand for a time which is over and was wholly seen. */
function whole(rate: Points, toMs: number): Points {
  return unbroken(finished(rate, now()), toMs);
}

function chunks(lines: Line[]): Line[][] {
  const parts: Line[][] = [];
  for (let at = 0; at < lines.length; at += MOST_SERIES) parts.push(lines.slice(at, at + MOST_SERIES));
  return parts;
}
