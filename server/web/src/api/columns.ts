// The points of many series, in columns.

import { graphql } from "./graphql.ts";

export interface Columns {
  idxDatapoint: string;
  /** Milliseconds that a point stands for; null where it is one sample. */
  step: number | null;
  timestamps: number[];
  values: (number | null)[];
  /** The least and the greatest of each point, where it stands for several samples. */
  lows: (number | null)[] | null;
  highs: (number | null)[] | null;
  damaged: string[];
}

export interface Asked {
  gauges: string[];
  rates: string[];
  fromMs: number;
  toMs: number;
  stepMs: number | null;
}

export interface Answer {
  gauges: Columns[];
  rates: Columns[];
}

const FIELDS = "idxDatapoint step timestamps values lows highs damaged";
const BETWEEN = "from: $from, to: $to, step: $step";

export async function askColumns(asked: Asked, signal: AbortSignal): Promise<Answer> {
  const parts: string[] = [];
  const kinds: string[] = [];
  const variables: Record<string, unknown> = { from: asked.fromMs, to: asked.toMs, step: asked.stepMs };
  if (asked.gauges.length > 0) {
    kinds.push("$gauges: [String!]!");
    parts.push(`gauges: columns(idxDatapoint: $gauges, ${BETWEEN}) { ${FIELDS} }`);
    variables["gauges"] = asked.gauges;
  }
  if (asked.rates.length > 0) {
    kinds.push("$rates: [String!]!");
    parts.push(`rates: columns(idxDatapoint: $rates, ${BETWEEN}, asRate: true) { ${FIELDS} }`);
    variables["rates"] = asked.rates;
  }
  const query = `query Columns($from: Milliseconds, $to: Milliseconds, $step: Milliseconds, ${kinds.join(", ")}) { ${parts.join(" ")} }`;
  const answer = await graphql<Partial<Answer>>(query, variables, signal);
  return { gauges: answer.gauges ?? [], rates: answer.rates ?? [] };
}
