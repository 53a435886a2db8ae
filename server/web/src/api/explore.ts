// Finding series of any agent.

import { graphql } from "./graphql.ts";
import { SERIES, type HostSeries } from "./host.ts";

export interface ExploreSeries extends HostSeries {
  target: string;
}

export interface SeriesKey {
  key: string;
  name: string;
  units: string;
  series: number;
  hosts: number;
}

const KEYS = `query Keys($search: String, $limit: Int!, $language: String!) {
  seriesKeys(search: $search, limit: $limit, language: $language) { key name units series hosts } }`;

const EXPLORE = `query Explore($key: String, $search: String, $limit: Int!, $language: String!) {
  explore(key: $key, search: $search, limit: $limit, language: $language) { target ${SERIES} } }`;

const THESE = `query These($idxDatapoint: [String!], $language: String!) {
  explore(idxDatapoint: $idxDatapoint, language: $language) { target ${SERIES} } }`;

export async function askKeys(search: string, limit: number, language: string, signal: AbortSignal): Promise<SeriesKey[]> {
  const variables = { search: search || null, limit, language };
  return (await graphql<{ seriesKeys: SeriesKey[] }>(KEYS, variables, signal)).seriesKeys;
}

export async function askSeries(
  key: string,
  search: string,
  limit: number,
  language: string,
  signal: AbortSignal,
): Promise<ExploreSeries[]> {
  const variables = { key: key || null, search: search || null, limit, language };
  return (await graphql<{ explore: ExploreSeries[] }>(EXPLORE, variables, signal)).explore;
}

/** Those of these numbers that there are. */
export async function askThese(idxDatapoint: string[], language: string, signal: AbortSignal): Promise<ExploreSeries[]> {
  if (idxDatapoint.length === 0) return [];
  return (await graphql<{ explore: ExploreSeries[] }>(THESE, { idxDatapoint, language }, signal)).explore;
}
