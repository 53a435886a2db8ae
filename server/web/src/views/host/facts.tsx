// What a host is: a few facts at once, the others on demand.

import type { HostDetail } from "../../api/host.ts";
import { duration } from "../../format/time.ts";
import { speech } from "../../state/language.ts";
import { useStore } from "../../state/store.ts";
import type { Texts } from "../../text/en.ts";

const FIRST = ["kernel", "machine", "cpus", "uptime_seconds", "address", "clock_skew_seconds", "version"];
/** Clocks that differ by less are right. */
const SKEW_SECONDS = 1;

export function Facts({ host }: { host: HostDetail | undefined }) {
  const { texts, locale } = useStore(speech);
  if (!host) return <div class="facts-bar is-waiting" aria-hidden="true" />;
  const all = [...host.facts];
  if (host.intervalSeconds !== null) all.push({ key: "interval", value: String(host.intervalSeconds) });
  const shown = (key: string, value: string) => factText(key, value, texts, locale);
  const first = FIRST.flatMap((key) => all.filter((fact) => fact.key === key && fact.value !== ""));
  const rest = all.filter((fact) => !FIRST.includes(fact.key) && fact.value !== "");
  const fact = ({ key, value }: { key: string; value: string }) => (
    <div key={key}><dt>{texts.fact[key] ?? key}</dt><dd title={value}>{shown(key, value)}</dd></div>
  );
  return (
    <div class="facts-bar">
      <dl class="facts">{first.map(fact)}</dl>
      {rest.length > 0 && (
        <details class="facts-rest">
          <summary>{texts.moreFacts}</summary>
          <dl class="facts">{rest.map(fact)}</dl>
        </details>
      )}
    </div>
  );
}

export function factText(key: string, value: string, texts: Texts, locale: string): string {
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  if (key === "uptime_seconds" || key === "interval") return duration(number, locale);
  if (key !== "clock_skew_seconds") return value;
  if (Math.abs(number) < SKEW_SECONDS) return texts.skewNone;
  const span = duration(Math.abs(number), locale);
  return number > 0 ? texts.skewAhead(span) : texts.skewBehind(span);
}
