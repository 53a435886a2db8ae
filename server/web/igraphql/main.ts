// A place to try GraphQL queries in, with the schema beside them: GraphiQL, as
// people know it from other servers, over this one.

import { GraphiQL } from "graphiql";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import "graphiql/graphiql.css";
import "./editor.css";

const PATH = "/pattoo/api/v1/web/graphql";

/** What stands in the editor when it is opened for the first time. */
const FIRST_QUERY = `# Every host as it is now.
# Ctrl-Enter runs it, Ctrl-Space completes.
{
  overview {
    hosts {
      target
      state
      cpuPercent
      memoryPercent
    }
  }
}
`;

interface Question {
  query: string;
  operationName?: string | null | undefined;
  variables?: unknown;
}

/** Refusals are JSON too, and are shown as they are. */
async function ask(question: Question): Promise<Record<string, unknown>> {
  const response = await fetch(PATH, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(question),
  });
  return (await response.json()) as Record<string, unknown>;
}

const place = document.getElementById("editor");
if (place) createRoot(place).render(createElement(GraphiQL, { fetcher: ask, defaultQuery: FIRST_QUERY }));
