// The page is built to files with hashed names, which pattood has in its binary.

import { defineConfig } from "vite";

export default defineConfig({
  base: "/pattoo/",
  build: {
    target: "es2022",
    // Every browser of that age preloads modules by itself.
    modulePreload: { polyfill: false },
    // No data: URLs, so that the Content-Security-Policy stays strict.
    assetsInlineLimit: 0,
    sourcemap: false,
    reportCompressedSize: false,
  },
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
});
