// A fresh server: how the first host comes here.

import type { OverviewHub } from "../../api/overview.ts";
import { speech } from "../../state/language.ts";
import { useStore } from "../../state/store.ts";
import { Hubs } from "./hubs.tsx";

const DEVICES = `polling_interval: 60
ip_devices:
  - ip_address: 192.0.2.10
    ip_bind_port: 5000`;

export function NoData({ hubs }: { hubs: OverviewHub[] }) {
  const { texts } = useStore(speech);
  const post = `pattoo_agent_api:\n  ip_address: ${location.hostname}\n  ip_bind_port: 20201`;
  return (
    <section class="no-data">
      <h2>{texts.noData.title}</h2>
      <p>{texts.noData.lead}</p>
      <ol>
        <li><p>{texts.noData.spoke}</p><pre>pattoo_agent_linux_spoked --start</pre></li>
        <li><p>{texts.noData.hub}</p><pre>{DEVICES}</pre></li>
        <li><p>{texts.noData.post}</p><pre>{post}</pre><pre>pattoo_agent_linux_hubd --start</pre></li>
      </ol>
      <p>{texts.noData.wait}</p>
      <Hubs hubs={hubs} />
    </section>
  );
}
