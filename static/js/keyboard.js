// The keyboard map: `?` lists it, `/` searches, j and k go through the rows, the space bar selects.

import { visit } from "./navigation.js";
import { elementOf, home, parsed, within } from "./page.js";

const ROWS = ".row, .track, .tile, .shelf li, .device-tile, .listed li";
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
// They use the space bar and Enter themselves.
const CONTROLS = "a, button, summary, input, select, textarea, audio, video";

/** @type {HTMLElement | null} */
let current = null;

/** Listen for the keys of every page. */
export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const { target, key } = event;
    if (key === "Escape" && target instanceof HTMLInputElement && target.type === "search") target.blur();
    if (elementOf(event)?.matches(TYPING) || document.querySelector("dialog[open], :popover-open")) return;
    if (act(key, elementOf(event)?.matches(CONTROLS) ?? false)) event.preventDefault();
  });
}

/**
 * @param {string} key
 * @param {boolean} isOnControl
 */
function act(key, isOnControl) {
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
      return !isOnControl && select();
    case "Enter":
      return !isOnControl && open();
    default:
      return false;
  }
}

function search() {
  /** @type {HTMLInputElement | null} */
  const field = document.querySelector('main input[type="search"]');
  if (field) {
    field.focus();
    field.select();
  } else {
    visit(`${home()}library`);
  }
  return true;
}

function rows() {
  /** @type {NodeListOf<HTMLElement>} */
  const all = document.querySelectorAll(ROWS);
  return [...all].filter((one) => one.checkVisibility());
}

/**
 * The row that has the focus, or had it: a list that is fetched anew may take it away.
 * @param {HTMLElement[]} all
 * @returns {HTMLElement | undefined}
 */
function rowNow(all) {
  /** @type {HTMLElement | null | undefined} */
  const focused = document.activeElement?.closest(ROWS);
  return focused ?? all.find((one) => one === current || (current?.id && one.id === current.id));
}

/** @param {number} step */
function move(step) {
  const all = rows();
  if (!all.length) return false;
  const now = rowNow(all);
  const at = now ? all.indexOf(now) : -1;
  const row = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
  row.tabIndex = -1;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
  current = row;
  return true;
}

function select() {
  /** @type {HTMLElement | null | undefined} */
  const box = rowNow(rows())?.querySelector('.pick input[type="checkbox"]');
  box?.click();
  return Boolean(box);
}

function open() {
  const row = rowNow(rows());
  // A download opens where it is: its links ask whether it is to go.
  /** @type {HTMLElement | null | undefined} */
  const link = row?.querySelector(".opens") ?? row?.querySelector("a[href]");
  link?.click();
  return Boolean(link);
}

/** The page that lists the keys, in a dialog. */
async function showKeys() {
  const address = `${home()}keys`;
  try {
    const answer = await fetch(address);
    if (!answer.ok || answer.redirected) throw new Error("not now");
    const page = parsed(await answer.text());
    show(within(page, "main > section"), page.querySelector('link[href*="help.css"]'));
  } catch {
    visit(address);
  }
}

/**
 * @param {HTMLElement} section
 * @param {Element | null} style
 */
function show(section, style) {
  if (style && !document.querySelector('link[href*="help.css"]')) document.head.append(style);
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", within(section, "h1").textContent ?? "");
  dialog.append(section);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
