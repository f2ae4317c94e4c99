// Bundles the front end into the Python package: one ES module for each widget, and one style sheet.
// No CDN and no code splitting: anywidget loads each module from a blob: URL, where a relative
// import has nothing to be relative to.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as esbuild from "esbuild";

const OUT = "../audience_nb/static";
// The view must stay small (it is sent once for each widget); Vega is sent once for each kernel.
const BUDGET = { "widget.js": 80_000, "widget.css": 40_000, "vega.js": 1_000_000 };

const watch = process.argv.includes("--watch");
const options = {
  entryPoints: { widget: "src/index.tsx", vega: "src/vega.ts" },
  outdir: OUT,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  jsx: "automatic",
  jsxImportSource: "preact",
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  metafile: true,
};

if (watch) {
  const context = await esbuild.context(options);
  await context.watch();
  console.log("Watching src/ …");
} else {
  const result = await esbuild.build(options);
  for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
    const name = file.split("/").at(-1);
    console.log(`${name} ${bytes.toLocaleString("en")} bytes`);
    if (bytes > (BUDGET[name] ?? 0)) {
      rmSync(`${OUT}/${name}`);
      throw new Error(`${name} is ${bytes} bytes, its budget is ${BUDGET[name] ?? 0}.`);
    }
  }
  // A digest of the sources lets a test without node tell that the committed bundle is stale.
  const digest = createHash("sha256");
  const sources = readdirSync("src").sort().map((name) => `src/${name}`);
  for (const file of [...sources, "build.mjs", "package.json", "package-lock.json"]) {
    digest.update(`${file}\0`).update(readFileSync(file)).update("\0");
  }
  writeFileSync(`${OUT}/SOURCES.sha256`, `${digest.digest("hex")}\n`);
}
