// What a chart shows.

/** One line: a series, or several that followed each other. */
export interface LineSpec {
  idx: string[];
  rate: boolean;
  name: string;
  look: "line" | "area" | "dashed";
}

export interface ChartSpec {
  id: string;
  title: string;
  /** Of every line. */
  units: string;
  stacked: boolean;
  /** The upper end of the axis, where it is known. */
  top: number | null;
  /** Whether the axis begins at zero, however close together the values are. */
  fromZero: boolean;
  lines: LineSpec[];
  /** Of a key with more labels than one can tell apart: how many lines it would have. */
  cut?: { key: string; all: number };
}

export type GroupId = "cpu" | "memory" | "space" | "io" | "network" | "processes" | "other";

export interface GroupSpec {
  id: GroupId;
  charts: ChartSpec[];
}

/** Names without the beginning that all share: up to a colon, or up to the number that tells them apart. */
export function shortened(names: readonly string[]): string[] {
  const head = [/^.*?: /, /^\D+(?=\d)/].map((pattern) => sharedHead(names, pattern)).find((found) => found !== "") ?? "";
  return names.map((name) => {
    const rest = name.slice(head.length);
    return rest.charAt(0).toUpperCase() + rest.slice(1);
  });
}

function sharedHead(names: readonly string[], pattern: RegExp): string {
  const [first = "", ...others] = names.map((name) => pattern.exec(name)?.[0] ?? "");
  return others.length > 0 && others.every((head) => head === first) ? first : "";
}
