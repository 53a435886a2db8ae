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

export interface Found {
  keys: SeriesKey[];
  series: ExploreSeries[];
}

const FIND = `query Find($key: String, $search: String, $keys: Int!, $series: Int!, $narrowed: Boolean!, $language: String!) {
  keys: seriesKeys(search: $search, limit: $keys, language: $language) { key name units series hosts }
  series: explore(key: $key, search: $search, limit: $series, language: $language) @include(if: $narrowed) { target ${SERIES} } }`;

const THESE = `query These($idxDatapoint: [String!], $language: String!) {
  explore(idxDatapoint: $idxDatapoint, language: $language) { target ${SERIES} } }`;

/** Keys and series that fit, at most so many; series only where there is a key or a word to narrow them down. */
export async function askFound(
  key: string,
  search: string,
  most: { keys: number; series: number },
  language: string,
  signal: AbortSignal,
): Promise<Found> {
  const variables = { key: key || null, search: search || null, ...most, narrowed: key !== "" || search !== "", language };
  const { keys, series } = await graphql<Partial<Found>>(FIND, variables, signal);
  return { keys: keys ?? [], series: series ?? [] };
}

/** Those of these numbers that there are. */
export async function askThese(idxDatapoint: string[], language: string, signal: AbortSignal): Promise<ExploreSeries[]> {
  if (idxDatapoint.length === 0) return [];
  return (await graphql<{ explore: ExploreSeries[] }>(THESE, { idxDatapoint, language }, signal)).explore;
}
