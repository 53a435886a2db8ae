// The series on the chart: as they are or as a rate, and off again.

import type { ExploreSeries } from "../../api/explore.ts";
import { Icon } from "../../parts/marks.tsx";
import { labelText } from "../../series/groups.ts";
import type { Line } from "../../state/feed.ts";
import { speech } from "../../state/language.ts";
import { BASE, hostPath } from "../../state/router.ts";
import { useStore } from "../../state/store.ts";

export interface PickedProps {
  lines: readonly Line[];
  known: ReadonlyMap<string, ExploreSeries>;
  onPick: (lines: Line[]) => void;
}

export function Picked({ lines, known, onPick }: PickedProps) {
  const { texts } = useStore(speech);
  return (
    <section class="picked" aria-label={texts.chosen}>
      <h2>{texts.chosen}</h2>
      <ul>
        {lines.map((line) => {
          const series = known.get(line.idx);
          const name = series ? [series.name, labelText(series)].filter(Boolean).join(" · ") : `#${line.idx}`;
          const others = lines.filter((one) => one.idx !== line.idx);
          const as = (rate: boolean) => onPick(lines.map((one) => (one.idx === line.idx ? { ...one, rate } : one)));
          return (
            <li key={line.idx}>
              <span class="picked-name">
                {series && <a href={BASE + hostPath(series.target)}>{series.target}</a>} {name}
              </span>
              <div class="choice" role="group" aria-label={texts.drawnAs(name)}>
                <button aria-pressed={!line.rate} onClick={() => as(false)}>{texts.raw}</button>
                <button aria-pressed={line.rate} title={texts.rateMeaning} onClick={() => as(true)}>{texts.rate}</button>
              </div>
              <button class="quiet" aria-label={texts.remove(name)} title={texts.remove(name)} onClick={() => onPick(others)}>
                <Icon name="cross" />
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
