// Charts that were saved, and which of them a user likes best. A row is never
// deleted: it is switched off.

import type { Line } from "../state/feed.ts";
import { graphql } from "./graphql.ts";

export interface SavedChart {
  idxChart: string;
  name: string;
  /** Its series. What a counter counts from says nothing, so it is drawn as a rate. */
  lines: Line[];
  /** Whether it is a favourite of the user who asks. */
  liked: boolean;
  /** The row that says so, or that says that it was one: there is one for a user and a chart. */
  idxFavorite: string | null;
}

interface Edges<Node> {
  edges: { node: Node }[];
}

interface ChartNode {
  idxChart: string;
  name: string;
  enabled: string;
  chartDatapointChart: Edges<{ idxDatapoint: string; enabled: string; datapoint: { dataType: number | string } | null }>;
  favoriteChart: Edges<{ idxFavorite: string; idxUser: string; enabled: string }>;
}

const ON = "1";
const OFF = "0";
/** Types of series that only grow. */
const COUNTERS = [32, 64];

const ALL = `{ allChart { edges { node { idxChart name enabled
  chartDatapointChart { edges { node { idxDatapoint enabled datapoint { dataType } } } }
  favoriteChart { edges { node { idxFavorite idxUser enabled } } } } } } }`;

const CREATE = `mutation Create($name: String!, $checksum: String!) {
  createChart(Input: {name: $name, checksum: $checksum}) { chart { idxChart } } }`;

const SHOW = `mutation Show($idxDatapoint: String!, $idxChart: String!) {
  createChartDataPoint(Input: {idxDatapoint: $idxDatapoint, idxChart: $idxChart}) { chartDatapoint { idxChartDatapoint } } }`;

const SWITCH = `mutation Switch($idxChart: String!, $enabled: String!) {
  updateChart(Input: {idxChart: $idxChart, enabled: $enabled}) { chart { idxChart } } }`;

const MARK = `mutation Mark($idxUser: String!, $idxChart: String!) {
  createFavorite(Input: {idxUser: $idxUser, idxChart: $idxChart, order: "0"}) { favorite { idxFavorite } } }`;

const MARK_AGAIN = `mutation MarkAgain($idxFavorite: String!, $enabled: String!) {
  updateFavorite(Input: {idxFavorite: $idxFavorite, enabled: $enabled}) { favorite { idxFavorite } } }`;

/** The user's favourites first, then by name. */
export async function askCharts(idxUser: string | null, signal: AbortSignal): Promise<SavedChart[]> {
  const { allChart } = await graphql<{ allChart: Edges<ChartNode> }>(ALL, {}, signal);
  const isOn = (row: { enabled: string }) => row.enabled === ON;
  const charts = allChart.edges.map(({ node }) => node).filter((node) => isOn(node) && node.name !== "");
  return charts
    .map((node) => {
      const own = node.favoriteChart.edges.find(({ node: mark }) => mark.idxUser === idxUser)?.node;
      return {
        idxChart: node.idxChart,
        name: node.name,
        lines: node.chartDatapointChart.edges
          .filter(({ node: shown }) => isOn(shown))
          .map(({ node: shown }) => ({ idx: shown.idxDatapoint, rate: COUNTERS.includes(Number(shown.datapoint?.dataType)) })),
        liked: own !== undefined && isOn(own),
        idxFavorite: own?.idxFavorite ?? null,
      };
    })
    .filter(({ lines }) => lines.length > 0)
    .sort((a, b) => Number(b.liked) - Number(a.liked) || a.name.localeCompare(b.name));
}

export async function saveChart(name: string, series: string[]): Promise<string> {
  const checksum = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
  const { createChart } = await graphql<{ createChart: { chart: { idxChart: string } } }>(CREATE, { name, checksum });
  const { idxChart } = createChart.chart;
  for (const idxDatapoint of series) await graphql(SHOW, { idxDatapoint, idxChart });
  return idxChart;
}

export async function deleteChart(idxChart: string): Promise<void> {
  await graphql(SWITCH, { idxChart, enabled: OFF });
}

/** Makes it a favourite of the user, or no more. */
export async function mark(chart: SavedChart, idxUser: string, liked: boolean): Promise<void> {
  const { idxChart, idxFavorite } = chart;
  if (idxFavorite !== null) await graphql(MARK_AGAIN, { idxFavorite, enabled: liked ? ON : OFF });
  else if (liked) await graphql(MARK, { idxUser, idxChart });
}
