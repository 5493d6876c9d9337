// Makes what browsers load, in static/vendor, of our own scripts and style sheets and other people's code; run after
// `npm ci`. One file is what a page needs at first, and no file waits for another one.

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..");
const modules = join(root, "node_modules");
const vendor = join(here, "vendor");

const BUNDLES = {
  // Every page of a signed-in person.
  app: "js/app.js",
  // Jellyfin's own web client.
  "jellyfin-web": "js/jellyfin-web.js",
  // Pages that have no person, or that say themselves where it goes on.
  "jellyfin-web-connected": "js/pages/jellyfin-web-connected.js",
  "quick-connect": "js/pages/quick-connect.js",
  trying: "js/pages/trying.js",
  restarting: "js/pages/restarting.js",
  "signed-out": "js/pages/signed-out.js",
  "without-network": "js/pages/without-network.js",
  "service-worker": "js/service-worker.js",
  // Every page: what is for one of them alone is a style sheet of its own in static/css.
  style: "css/style.css",
};
const ICONS = [
  "activity",
  "arrow-down",
  "arrow-up-to-line",
  "bell",
  "book-open",
  "book-text",
  "check",
  "chevron-down",
  "circle-check",
  "circle-question-mark",
  "circle-user-round",
  "clock",
  "disc-3",
  "download",
  "ellipsis",
  "film",
  "folder",
  "grip-vertical",
  "hard-drive",
  "heart",
  "history",
  "hourglass",
  "house",
  "info",
  "key-round",
  "keyboard",
  "layout-grid",
  "library",
  "list",
  "list-music",
  "list-start",
  "list-x",
  "log-out",
  "menu",
  "monitor-smartphone",
  "moon",
  "music",
  "pause",
  "pin",
  "pin-off",
  "play",
  "refresh-cw",
  "rotate-cw",
  "scroll-text",
  "search",
  "settings",
  "shuffle",
  "skip-back",
  "skip-forward",
  "sliders-horizontal",
  "sparkles",
  "sun",
  "sun-moon",
  "trash-2",
  "triangle-alert",
  "tv",
  "unplug",
  "x",
];

function symbol(name) {
  const drawing = readFileSync(join(modules, "lucide-static", "icons", `${name}.svg`), "utf8");
  const shapes = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(drawing);
  if (!shapes) throw new Error(`the icon ${name} cannot be read`);
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes[1].replace(/\s+/g, " ").trim()}</symbol>`;
}

/** The packages whose code is in what was bundled. */
function packages(inputs) {
  const found = Object.keys(inputs).map((path) => relative(modules, join(root, path)).split("/"));
  const named = found.filter(([first]) => first !== "..").map(([first, second]) => (first[0] === "@" ? `${first}/${second}` : first));
  return [...new Set(["lucide-static", ...named])].sort();
}

/** A script that is in no bundle would never be loaded. */
function checkAllAreIn(inputs) {
  const sources = readdirSync(join(here, "js"), { recursive: true }).filter((path) => path.endsWith(".js"));
  const left = sources.map((path) => relative(root, join(here, "js", path))).filter((path) => !inputs[path]);
  if (left.length) throw new Error(`in no bundle: ${left}. Import it in static/js/app.js, or name it in BUNDLES`);
}

function licence(name) {
  const { version, license } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((one) => join(modules, name, one)).find(existsSync);
  if (!file) throw new Error(`the licence of ${name} is not there`);
  return `${name} ${version} (${license})\n\n${readFileSync(file, "utf8").trim()}\n`;
}

/** What comes when it is first needed. */
const later = {
  name: "later",
  setup({ onResolve }) {
    onResolve({ filter: /\/later\.js$/, namespace: "file" }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./later.js", external: true } : undefined,
    );
  },
};

/** What `later.js` has in common with `app.js` it takes from there: a page has each module once. */
const sharing = (inputs) => ({
  name: "sharing",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^\.\.?\// }, async ({ path, pluginData, ...from }) => {
      if (pluginData) return undefined;
      const found = await resolve(path, { ...from, pluginData: true });
      return inputs[relative(root, found.path)] ? { path: "./app.js", external: true } : found;
    });
  },
});

mkdirSync(vendor, { recursive: true });
rmSync(join(vendor, "ready"), { force: true });
const options = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
  minify: true,
  outdir: vendor,
  target: "es2022",
};
const entryPoints = Object.entries(BUNDLES).map(([name, from]) => ({ in: join(here, from), out: name }));
const { metafile: first } = await build({ ...options, entryPoints, plugins: [later] });
const { inputs } = Object.values(first.outputs).find(({ entryPoint }) => entryPoint === "static/js/app.js");
const { metafile: second } = await build({
  ...options,
  entryPoints: [join(here, "js/later.js")],
  plugins: [sharing(inputs)],
});
const metafile = {
  inputs: { ...first.inputs, ...second.inputs },
  outputs: { ...first.outputs, ...second.outputs },
};
checkAllAreIn(metafile.inputs);
const sprite = ICONS.map(symbol).join("\n");
writeFileSync(
  join(vendor, "icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg">\n${sprite}\n</svg>\n`,
);
const licences = packages(metafile.inputs).map(licence);
writeFileSync(join(vendor, "LICENCES.txt"), licences.join(`\n${"-".repeat(72)}\n\n`));
// Packed here, once: the server itself has only gzip, which is an eighth larger.
const packed = [...Object.keys(metafile.outputs).map((path) => basename(path)), "icons.svg"];
for (const name of packed) writeFileSync(join(vendor, `${name}.br`), brotliCompressSync(readFileSync(join(vendor, name))));
// What an older build left; a sidecar that runs from here loses nothing that its pages ask for.
const made = new Set(["LICENCES.txt", ...packed, ...packed.map((name) => `${name}.br`)]);
for (const name of readdirSync(vendor)) if (!made.has(name)) rmSync(join(vendor, name), { recursive: true });
// Written last: whoever finds it finds everything.
writeFileSync(join(vendor, "ready"), "");
