// Every host and hub, and the last hour of some hosts.

import { serverSays } from "../state/clock.ts";
import { graphql } from "./graphql.ts";

export type State = "up" | "late" | "down" | "unknown";

export interface Label {
  key: string;
  value: string;
}

export interface Device {
  hub: string;
  address: string;
  port: string;
  agentId: string | null;
  reachable: boolean | null;
  timestamp: string;
  ageSeconds: number;
  duration: number | null;
  error: string | null;
}

export interface OverviewHost {
  target: string;
  state: State;
  lastSeen: number | null;
  intervalSeconds: number | null;
  cpuPercent: number | null;
  memoryPercent: number | null;
  diskPercent: number | null;
  diskMount: string | null;
  receivedBytesPerSecond: number | null;
  sentBytesPerSecond: number | null;
  loadAverage: number | null;
  cpus: number | null;
  reachable: boolean | null;
  error: string | null;
  labels: Label[];
}

export interface OverviewHub {
  target: string;
  idxAgent: string;
  state: State;
  lastSeen: number | null;
  devices: number;
  reached: number;
  unreachable: Device[];
  spoolWaiting: number | null;
}

export interface Overview {
  now: number;
  hosts: OverviewHost[];
  hubs: OverviewHub[];
}

export type HostFigure = "CPU" | "MEMORY" | "DISK" | "RECEIVED" | "SENT" | "LOAD";

export interface Sparkline {
  target: string;
  figure: HostFigure;
  timestamps: number[];
  values: (number | null)[];
}

export const DEVICE = "hub address port agentId reachable timestamp ageSeconds duration error";

const OVERVIEW = `{ overview { now
  hosts { target state lastSeen intervalSeconds cpuPercent memoryPercent diskPercent diskMount
    receivedBytesPerSecond sentBytesPerSecond loadAverage cpus reachable error labels { key value } }
  hubs { target idxAgent state lastSeen devices reached spoolWaiting unreachable { ${DEVICE} } } } }`;

const SPARKLINES = `query Sparklines($targets: [String!]!, $figures: [HostFigure!]!, $minutes: Int!, $points: Int!) {
  sparklines(targets: $targets, figure: $figures, minutes: $minutes, points: $points) {
    target figure timestamps values } }`;

export async function askOverview(signal: AbortSignal): Promise<Overview> {
  const { overview } = await graphql<{ overview: Overview }>(OVERVIEW, {}, signal);
  serverSays(overview.now, false);
  return overview;
}

export async function askSparklines(
  targets: string[],
  figures: readonly HostFigure[],
  minutes: number,
  points: number,
  signal: AbortSignal,
): Promise<Sparkline[]> {
  const variables = { targets, figures, minutes, points };
  return (await graphql<{ sparklines: Sparkline[] }>(SPARKLINES, variables, signal)).sparklines;
}
