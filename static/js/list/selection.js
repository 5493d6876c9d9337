// Selecting rows: some, a range with Shift, all of a page, and over several pages; what is selected
// stays so when the list is new.

import { said } from "../messages.js";
import { byId, listener } from "../page.js";

/**
 * @param {ParentNode} place
 * @returns {HTMLInputElement[]}
 */
const boxesIn = (place) => [...place.querySelectorAll('.pick input[type="checkbox"]')].filter((one) => one instanceof HTMLInputElement);
const boxes = () => boxesIn(document);

/**
 * The downloads that a box is about: those of a title on several devices are one row.
 * @param {HTMLInputElement} box
 */
const idsOf = (box) => box.value.split(",");

// Also what is on other pages of the same list.
/** @type {Set<string>} */
let chosen = new Set();
let list = "";
/** @type {string | null} */
let last = null;
let isAll = false;

/**
 * What the box of a group picks.
 * @param {Element} group
 */
const boxesOf = (group) => boxesIn(group.closest("details") ?? group);

/** @returns {HTMLInputElement | null} */
const matchingBox = () => document.querySelector(".matching input");

/** @param {AbortSignal} signal */
export function keepSelection(signal) {
  const listen = listener(signal);
  list = nameOfList();
  chosen = new Set();
  [last, isAll] = [null, false];
  listen("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.matches('.pick input[type="checkbox"]')) return;
    if (event.shiftKey) pickRange(box);
    last = box.value;
  });
  listen("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    if (target.id === "pick-all") pick(boxes(), target.checked);
    if (target.matches("[data-picks-group]")) pick(boxesOf(target), target.checked);
    if (target.matches(".pick input")) note(target);
    if (target === matchingBox()) isAll = target.checked;
    if (target.matches(".pick input, #pick-all, [data-picks-group], .matching input")) show();
  });
  /** @type {{ address: string, values: string[] }} */
  let before = { address: "", values: [] };
  listen("htmx:before:swap", () => {
    before = { address: window.location.href, values: boxes().flatMap(idsOf) };
  });
  listen("htmx:after:swap", () => {
    if (nameOfList() !== list) clearSelection();
    list = nameOfList();
    // What has left this page by itself is no longer meant.
    const here = new Set(boxes().flatMap(idsOf));
    const gone = before.address === window.location.href ? before.values.filter((one) => !here.has(one)) : [];
    for (const value of gone) chosen.delete(value);
    const matching = matchingBox();
    if (matching) matching.checked = isAll;
    for (const box of boxes()) {
      box.checked = idsOf(box).every((one) => chosen.has(one));
      // What has come to a row that was selected is not meant; then the whole row is not.
      note(box);
    }
    show();
  });
  // A browser ticks again what was ticked when somebody comes back to the page.
  const again = () => {
    for (const box of boxes()) note(box);
    show();
  };
  window.addEventListener("pageshow", again, { signal });
}

/** Nothing is selected any more: it was acted upon. */
export function clearSelection() {
  chosen = new Set();
  pick(boxes(), false);
  isAll = false;
  const matching = matchingBox();
  if (matching) matching.checked = false;
  show();
}

/** A tab with its filters: its pages and orders are one list. */
function nameOfList() {
  const asked = new URLSearchParams(window.location.search);
  for (const name of ["page", "rows", "sort", "done", "albums", "open"]) asked.delete(name);
  // The first tab is shown without its name in the address as well.
  if (asked.get("tab") === "active") asked.delete("tab");
  return `${window.location.pathname}?${asked}`;
}

/** @param {HTMLInputElement} box */
function note(box) {
  for (const one of idsOf(box)) {
    if (box.checked) chosen.add(one);
    else chosen.delete(one);
  }
}

/**
 * @param {HTMLInputElement[]} some
 * @param {boolean} isChosen
 */
function pick(some, isChosen) {
  for (const box of some) {
    box.checked = isChosen;
    note(box);
  }
}

/** @param {HTMLInputElement} box */
function pickRange(box) {
  const all = boxes();
  const from = all.findIndex((one) => one.value === last);
  const to = all.indexOf(box);
  if (from < 0) return;
  pick(all.slice(Math.min(from, to), Math.max(from, to) + 1), box.checked);
}

function show() {
  const all = boxes();
  showAll(all);
  const bar = document.getElementById("chosen");
  if (!bar) return;
  const matching = matchingBox();
  const number = matching?.checked ? Number(matching.dataset.total) : chosen.size;
  // Where a row may be several files, it is files that are counted.
  const inFiles = all.some((box) => idsOf(box).length > 1);
  const told = inFiles ? said("{number} files selected", { number }) : said("{number} selected", { number });
  byId("how-many").textContent = number ? told : "";
  bar.classList.toggle("has-some", number > 0);
  // What is on other pages is sent along.
  const here = new Set(all.flatMap(idsOf));
  for (const old of bar.querySelectorAll("[data-elsewhere]")) old.remove();
  for (const value of chosen) if (!here.has(value)) bar.append(elsewhere(all[0]?.name ?? "id", value));
}

/**
 * @param {string} name
 * @param {string} value
 */
function elsewhere(name, value) {
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name, value });
  field.dataset.elsewhere = "";
  return field;
}

/** @param {HTMLInputElement[]} all */
function showAll(all) {
  /** @type {HTMLInputElement | null} */
  const every = document.querySelector("#pick-all");
  const number = all.filter((box) => box.checked).length;
  if (every) {
    every.checked = number > 0 && number === all.length;
    every.indeterminate = number > 0 && number < all.length;
  }
  /** @type {NodeListOf<HTMLInputElement>} */
  const groups = document.querySelectorAll("[data-picks-group]");
  for (const group of groups) group.checked = boxesOf(group).every((box) => box.checked);
}
