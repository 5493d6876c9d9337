// The keyboard map: `?` lists it, `/` searches, j and k go through the rows, the space bar selects.

import { visit } from "./navigation.js";

const ROWS = ".row, .track, .tile, .shelf li, .device-tile, .listed li";
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
// They use the space bar and Enter themselves.
const CONTROLS = "a, button, summary, input, select, textarea, audio, video";

let current = null;

/** Listen for the keys of every page. */
export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    if (key === "Escape" && target.matches?.("input[type=search]")) target.blur();
    if (target.matches?.(TYPING) || document.querySelector("dialog[open], :popover-open")) return;
    if (act(key, target)) event.preventDefault();
  });
}

function act(key, target) {
  switch (key) {
    case "?":
      showKeys();
      return true;
    case "/":
      return search();
    case "j":
      return move(1);
    case "k":
      return move(-1);
    case " ":
      return !target.matches(CONTROLS) && select();
    case "Enter":
      return !target.matches(CONTROLS) && open();
    default:
      return false;
  }
}

function search() {
  const field = document.querySelector('main input[type="search"]');
  if (field) {
    field.focus();
    field.select();
  } else {
    visit(`${document.body.dataset.home}library`);
  }
  return true;
}

const isShown = (one) => one.checkVisibility();
const rows = () => [...document.querySelectorAll(ROWS)].filter(isShown);

/** The row that has the focus, or had it: a list that is fetched anew may take it away. */
function rowNow(all) {
  const focused = document.activeElement?.closest(ROWS);
  return focused ?? all.find((one) => one === current || (current?.id && one.id === current.id));
}

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(rowNow(all));
  const next = at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1);
  current = all[next];
  current.tabIndex = -1;
  current.focus();
  current.scrollIntoView({ block: "nearest" });
  return true;
}

function select() {
  const box = rowNow(rows())?.querySelector('.pick input[type="checkbox"]');
  box?.click();
  return Boolean(box);
}

function open() {
  const row = rowNow(rows());
  // A download opens where it is: its links ask whether it is to go.
  const link = row?.querySelector(".more > summary") ?? row?.querySelector("a[href]");
  link?.click();
  return Boolean(link);
}

/** The page that lists the keys, in a dialog. */
async function showKeys() {
  const address = `${document.body.dataset.home}keys`;
  try {
    const answer = await fetch(address);
    if (!answer.ok || answer.redirected) throw new Error("not now");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    show(page.querySelector("main > section"), page.querySelector('link[href*="help.css"]'));
  } catch {
    visit(address);
  }
}

function show(section, style) {
  if (!document.querySelector('link[href*="help.css"]')) document.head.append(style);
  const dialog = document.createElement("dialog");
  const heading = section.querySelector("h1");
  dialog.setAttribute("aria-label", heading.textContent);
  dialog.append(section);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
