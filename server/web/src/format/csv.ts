// What is drawn, as text that spreadsheets read: RFC 4180.

import { aligned, type Points } from "../series/points.ts";

function field(text: string): string {
  // A name that begins like a formula would be reckoned by spreadsheets.
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A line for each time within the ends, a column for each series; what is missing is empty. */
export function csv(timeName: string, names: readonly string[], points: readonly Points[], fromMs: number, toMs: number): string {
  const { times, values } = aligned(points);
  const lines = [[timeName, ...names].map(field).join(",")];
  times.forEach((time, at) => {
    const row = values.map((value) => value[at]);
    if (time < fromMs || time > toMs || row.every((value) => value == null)) return;
    lines.push([new Date(time).toISOString(), ...row.map((value) => (value == null ? "" : String(value)))].join(","));
  });
  return `${lines.join("\r\n")}\r\n`;
}

/** Lets the browser save it. */
export function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
