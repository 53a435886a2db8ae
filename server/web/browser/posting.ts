// Hosts that only a test knows, posted as a hub posts them.

import { createHash } from "node:crypto";
import { request } from "node:http";

export interface Sample {
  key: string;
  /** 99 and 101 are gauges, 64 is a counter, 2 a text. */
  type: 2 | 64 | 99 | 101;
  value: number | string;
  labels?: [string, string][];
}

export interface Poll {
  target: string;
  timestampMs: number;
  samples: Sample[];
}

const PROGRAM = "pattoo_agent_linux_spoked";
const KERNEL = "6.1.0-26-amd64";

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

/** A batch of such polls, as text. */
export function batch(polls: readonly Poll[], intervalMs: number): string {
  const ids = new Map<string, number>();
  const pairs: Record<string, [string, unknown]> = {};
  const id = (key: string, value: unknown) => {
    const name = JSON.stringify([key, value]);
    let found = ids.get(name);
    if (found === undefined) {
      found = ids.size;
      ids.set(name, found);
      pairs[found] = [key, value];
    }
    return found;
  };
  const datapoints = polls.flatMap((poll) => poll.samples.map((sample) => {
    const labels: [string, string][] = [["release", KERNEL], ["type", "Linux"], ["cpus", "4"], ["hostname", poll.target], ...(sample.labels ?? [])];
    const agent = digest(`agent ${poll.target}`);
    return [
      ...labels.map(([key, value]) => id(key, value)),
      id("pattoo_agent_polling_interval", String(intervalMs)), id("pattoo_agent_hostname", poll.target), id("pattoo_agent_id", agent),
      id("pattoo_agent_polled_target", poll.target), id("pattoo_agent_program", PROGRAM),
      id("pattoo_key", sample.key), id("pattoo_data_type", sample.type), id("pattoo_value", sample.value),
      id("pattoo_timestamp", poll.timestampMs), id("pattoo_checksum", digest(JSON.stringify([agent, sample.key, sample.type, sample.labels ?? []]))),
    ];
  }));
  return JSON.stringify({
    pattoo_agent_id: digest("hub"), pattoo_agent_polling_interval: intervalMs, pattoo_agent_timestamp: Math.max(...polls.map((poll) => poll.timestampMs)),
    pattoo_datapoints: { key_value_pairs: pairs, datapoint_pairs: datapoints },
  });
}

/** Posts it; it is stored when this returns. */
export function post(port: number, body: string): Promise<void> {
  return new Promise((done, fail) => {
    const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
    const path = `/pattoo/api/v1/agent/receive/${digest("hub")}`;
    const asked = request({ host: "127.0.0.1", port, path, method: "POST", headers }, (response) => {
      let text = "";
      response.on("data", (bytes: Buffer) => (text += bytes.toString()));
      response.on("end", () => (response.statusCode === 200 ? done() : fail(new Error(`${response.statusCode}: ${text}`))));
    });
    asked.on("error", fail);
    asked.end(body);
  });
}

/** Posts many polls, so many to a batch. */
export async function postAll(port: number, polls: readonly Poll[], intervalMs: number, atATime = 400): Promise<void> {
  for (let at = 0; at < polls.length; at += atATime) await post(port, batch(polls.slice(at, at + atATime), intervalMs));
}
