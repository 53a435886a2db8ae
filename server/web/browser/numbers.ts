// The numbers of a host's series, as the address of Explore names them.

import assert from "node:assert/strict";
import { system } from "./stage.ts";
import type { Visitor } from "./visitor.ts";

/** Of each figure the first series; with an r where it is a rate. */
export async function numbersOf(visitor: Visitor, target: string, figures: readonly string[]): Promise<string[]> {
  const query = `{ host(target: "${target}") { series { idxDatapoint key isCounter } } }`;
  const answer = await visitor.page.request.post(`${system.address("api/v1/web/graphql")}`, { data: { query } });
  const { data } = (await answer.json()) as { data: { host: { series: { idxDatapoint: string; key: string; isCounter: boolean }[] } } };
  return figures.map((figure) => {
    const found = data.host.series.find(({ key }) => key.endsWith(`_${figure}`) || key === figure);
    assert.ok(found, figure);
    return (found.isCounter ? "r" : "") + found.idxDatapoint;
  });
}
