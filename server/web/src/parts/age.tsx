// How long ago something was, by the server's clock.

import { duration, moment } from "../format/time.ts";
import { now } from "../state/clock.ts";
import { speech } from "../state/language.ts";
import { useStore } from "../state/store.ts";
import type { Texts } from "../text/en.ts";

export function ageText(ms: number | null, nowMs: number, texts: Texts, locale: string): string {
  if (ms === null) return texts.never;
  const seconds = (nowMs - ms) / 1_000;
  return seconds < 1 ? texts.justNow : texts.ago(duration(seconds, locale, 1));
}

export function Age({ ms }: { ms: number | null }) {
  const { texts, locale } = useStore(speech);
  return <span class="age" title={ms === null ? undefined : moment(ms, locale)}>{ageText(ms, now(), texts, locale)}</span>;
}
