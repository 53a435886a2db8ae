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
}

export type GroupId = "cpu" | "load" | "memory" | "swap" | "space" | "io" | "network" | "processes" | "other";

export interface GroupSpec {
  id: GroupId;
  charts: ChartSpec[];
}

/** Names that begin alike, up to a colon, without that beginning. */
export function shortened(names: readonly string[]): string[] {
  const heads = names.map((name) => name.slice(0, name.indexOf(": ") + 2));
  const alike = names.length > 1 && heads[0] !== "" && heads.every((head) => head === heads[0]);
  return names.map((name) => {
    const rest = alike ? name.slice(heads[0]?.length) : name;
    return rest.charAt(0).toUpperCase() + rest.slice(1);
  });
}
