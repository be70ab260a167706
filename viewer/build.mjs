// Builds what explorer/page.py puts into a page: node build.mjs [FOLDER]. The same sources and lock file always give
// the same bytes.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = process.argv[2] ?? `${here}../explorer/viewer`;
await mkdir(folder, { recursive: true });

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.tsx"],
  outfile: `${folder}/explorer.js`,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "none",
  metafile: true,
});
await copyFile(`${here}src/explorer.css`, `${folder}/explorer.css`);

// The licences of the packages that the bundle contains.
const packages = new Set(
  Object.keys(metafile.inputs).flatMap((file) => file.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []),
);
const licences = [];
for (const name of [...packages].sort()) {
  const inside = `${here}node_modules/${name}/`;
  const about = JSON.parse(await readFile(`${inside}package.json`, "utf8"));
  const text = await readFile(`${inside}LICENSE`, "utf8").catch(() => readFile(`${inside}LICENSE.md`, "utf8"));
  const source = String(about.repository?.url ?? about.repository).replace(/^git\+|\.git$/g, "");
  licences.push(`${name} ${about.version} (${about.license}), source code: ${source}\n\n${text.trim()}\n`);
}
const head = "explorer.js contains these packages, minified and otherwise unchanged.\n";
await writeFile(`${folder}/LICENSES.txt`, [head, ...licences].join(`\n${"-".repeat(80)}\n\n`));
