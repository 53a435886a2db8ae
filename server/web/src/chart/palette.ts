// The colours of charts, as the style sheet has them for the present theme.

export interface Palette {
  lines: string[];
  text: string;
  grid: string;
  cursor: string;
}

const LINES = 8;

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    lines: Array.from({ length: LINES }, (_, at) => colour(`--line-${at + 1}`)),
    text: colour("--muted"),
    grid: colour("--chart-grid"),
    cursor: colour("--chart-cursor"),
  };
}

/** The style class of a line, for what is not drawn on the canvas. */
export function lineClass(at: number): string {
  return `line-${(at % LINES) + 1}`;
}

export function lineColour(palette: Palette, at: number): string {
  return palette.lines[at % LINES] ?? palette.text;
}

/** The colour `#rrggbb`, so much of it. */
export function pale(colour: string, share: number): string {
  return `${colour}${Math.round(share * 255).toString(16).padStart(2, "0")}`;
}
