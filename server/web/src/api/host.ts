// What is known of one host, and its series.

import { DEVICE, type Device, type Label, type State } from "./overview.ts";
import { graphql } from "./graphql.ts";

export interface HostSeries {
  idxDatapoint: string;
  idxAgent: string;
  key: string;
  program: string;
  dataType: number;
  isCounter: boolean;
  name: string;
  units: string;
  labels: Label[];
  latest: number | null;
  latestText: string | null;
  latestTimestamp: number | null;
}

export interface HostDetail {
  target: string;
  state: State;
  lastSeen: number | null;
  intervalSeconds: number | null;
  devices: Device[];
  facts: Label[];
}

export const SERIES =
  "idxDatapoint idxAgent key program dataType isCounter name units labels { key value } latest latestText latestTimestamp";

const DETAIL = `query Host($target: String!, $language: String!) {
  host(target: $target, language: $language) { target state lastSeen intervalSeconds
    devices { ${DEVICE} } facts { key value } } }`;

const SERIES_OF = `query Series($target: String!, $language: String!) {
  host(target: $target, language: $language) { series { ${SERIES} } } }`;

/** Null if no agent ever told of it. */
export async function askHost(target: string, language: string, signal: AbortSignal): Promise<HostDetail | null> {
  return (await graphql<{ host: HostDetail | null }>(DETAIL, { target, language }, signal)).host;
}

export async function askHostSeries(target: string, language: string, signal: AbortSignal): Promise<HostSeries[]> {
  const answer = await graphql<{ host: { series: HostSeries[] } | null }>(SERIES_OF, { target, language }, signal);
  return answer.host?.series ?? [];
}
