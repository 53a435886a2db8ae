// The page is built to files with hashed names, which pattood has in its binary.

import { defineConfig, type Plugin } from "vite";

/** GraphiQL brings fonts inside its styles, more than half of its weight: the system's do. */
const systemFonts: Plugin = {
  name: "system-fonts",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("/graphiql/") || !id.endsWith(".css")) return null;
    return { code: code.replace(/@font-face\s*\{[^}]*\}/g, ""), map: null };
  },
};

/** Nothing is painted before the script has run, which knows the colours that were chosen; without it there is nothing to see. */
const paintWhenKnown: Plugin = {
  name: "paint-when-known",
  transformIndexHtml: {
    order: "post",
    handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
  },
};

export default defineConfig({
  base: "/pattoo/",
  plugins: [systemFonts, paintWhenKnown],
  build: {
    target: "es2022",
    // Every browser of that age preloads modules by itself.
    modulePreload: { polyfill: false },
    // No data: URLs, so that the Content-Security-Policy stays strict.
    assetsInlineLimit: 0,
    sourcemap: false,
    reportCompressedSize: false,
    // The page, and the place to try queries in: they share nothing.
    rollupOptions: { input: ["index.html", "igraphql/index.html"] },
  },
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
});
