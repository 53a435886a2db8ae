// The hubs, and the devices that they cannot reach.

import type { OverviewHub } from "../../api/overview.ts";
import { whole } from "../../format/number.ts";
import { Age, ageText } from "../../parts/age.tsx";
import { StateMark } from "../../parts/marks.tsx";
import { now } from "../../state/clock.ts";
import { speech } from "../../state/language.ts";
import { useStore } from "../../state/store.ts";

export function Hubs({ hubs }: { hubs: OverviewHub[] }) {
  const { texts } = useStore(speech);
  if (hubs.length === 0) return null;
  return (
    <section class="hubs" aria-label={texts.hubs}>
      {hubs.map((hub) => <Hub key={hub.idxAgent} hub={hub} />)}
    </section>
  );
}

function Hub({ hub }: { hub: OverviewHub }) {
  const { texts, locale } = useStore(speech);
  const lost = hub.unreachable.length;
  const facts = (
    <>
      <span class="hub-name" title={texts.hubMeaning[hub.state]}>
        <StateMark state={hub.state} />{texts.label["hub"]} <b>{hub.target}</b>
        <span class={hub.state === "down" ? "state is-down" : "unseen"}>{texts.state[hub.state]}</span>
      </span>
      <span>{texts.hubReaches(whole(hub.reached, locale), whole(hub.devices, locale))}</span>
      <span>{texts.hubSeen(ageText(hub.lastSeen, now(), texts, locale))}</span>
      {(hub.spoolWaiting ?? 0) > 0 && <span class="is-late">{texts.hubWaits(whole(hub.spoolWaiting ?? 0, locale))}</span>}
    </>
  );
  if (lost === 0) return <div class="hub"><p class="hub-line">{facts}</p></div>;
  return (
    <details class="hub">
      <summary class="hub-line">{facts}<span class="lost">{texts.unreachable(whole(lost, locale))}</span></summary>
      <table>
        <thead><tr><th scope="col">{texts.device}</th><th scope="col">{texts.why}</th><th scope="col">{texts.since}</th></tr></thead>
        <tbody>
          {hub.unreachable.map((device) => (
            <tr key={`${device.address} ${device.port}`}>
              <td>{device.address.includes(":") ? `[${device.address}]` : device.address}:{device.port}</td>
              <td>{device.error ?? texts.noReason}</td>
              <td><Age ms={Number(device.timestamp)} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
