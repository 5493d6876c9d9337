// Puts other people's browser code and its licences into static/vendor; run after `npm ci`.

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "node_modules");
const vendor = join(here, "vendor");

const FILES = {
  "htmx.min.js": "htmx.org/dist/htmx.min.js",
  "socket.io.esm.min.js": "socket.io-client/dist/socket.io.esm.min.js",
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
const LICENCES = ["htmx.org", "lucide-static", "socket.io-client"];

function symbol(name) {
  const drawing = readFileSync(join(modules, "lucide-static", "icons", `${name}.svg`), "utf8");
  const shapes = /<svg[^>]*>([\s\S]*)<\/svg>/.exec(drawing);
  if (!shapes) throw new Error(`the icon ${name} cannot be read`);
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes[1].replace(/\s+/g, " ").trim()}</symbol>`;
}

function licence(name) {
  const { version, license } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  const text = readFileSync(join(modules, name, "LICENSE"), "utf8");
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

rmSync(vendor, { recursive: true, force: true });
mkdirSync(vendor);
for (const [to, from] of Object.entries(FILES)) copyFileSync(join(modules, from), join(vendor, to));
const sprite = ICONS.map(symbol).join("\n");
writeFileSync(
  join(vendor, "icons.svg"),
  `<svg xmlns="http://www.w3.org/2000/svg">\n${sprite}\n</svg>\n`,
);
writeFileSync(join(vendor, "LICENCES.txt"), LICENCES.map(licence).join(`\n${"-".repeat(72)}\n\n`));
// Written last: whoever finds it finds everything.
writeFileSync(join(vendor, "ready"), "");
