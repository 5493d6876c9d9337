// What is wrong or waits for an answer: part of every page, fetched again when something changed.

import htmx from "htmx.org";
import { byId, elementOf, home, parsed, within } from "./page.js";

const PAUSE_MS = 200;

let waiting = 0;
/** @type {string | null} */
let last = null;
/** @type {HTMLElement | null} */
let seen = null;

/** Show soon what is so now; many wishes at once make one request. */
export function refreshAlerts() {
  if (!waiting) waiting = window.setTimeout(refresh, PAUSE_MS);
}

async function refresh() {
  waiting = 0;
  const place = document.getElementById("alerts");
  if (!place) return;
  // Another page has its own, as new as the page.
  if (place !== seen) [seen, last] = [place, place.innerHTML];
  const next = `${window.location.pathname.slice(home().length - 1)}${window.location.search}`;
  try {
    const answer = await fetch(`${place.dataset.from}?${new URLSearchParams({ next })}`);
    if (answer.ok && !answer.redirected) show(place, await answer.text());
  } catch {
    // The live connection tells when the server is back, and asks again.
  }
}

/**
 * @param {HTMLElement} place
 * @param {string} text
 */
function show(place, text) {
  const fresh = parsed(text).getElementById("alerts");
  if (!fresh || fresh.innerHTML === last) return;
  last = fresh.innerHTML;
  const isMore = Number(fresh.dataset.number) > Number(place.dataset.number);
  place.dataset.number = fresh.dataset.number;
  showNumber(fresh.dataset.number ?? "0");
  for (const one of fresh.querySelectorAll("[role=alert]")) {
    // What only changed its numbers was said already.
    const wasSaid = one.id !== "alerts-line" || !isMore;
    if (wasSaid && document.getElementById(one.id)) one.removeAttribute("role");
  }
  fresh.querySelector("details")?.toggleAttribute("open", place.querySelector("details[open]") !== null);
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const held = focused?.closest("section, summary")?.id;
  const value = focused instanceof HTMLButtonElement ? focused.value : "";
  place.replaceChildren(...fresh.children);
  htmx.process(place);
  if (focused) {
    const section = document.getElementById(held ?? "");
    /** @type {HTMLElement | null | undefined} */
    const same = value ? section?.querySelector(`button[value="${CSS.escape(value)}"]`) : null;
    (same ?? section ?? byId("main")).focus();
  }
}

/** The bell leads to them, and opens what is folded. */
export function openAlertsByBell() {
  document.addEventListener("click", (event) => {
    if (elementOf(event)?.closest("#bell")) document.querySelector("#alerts details")?.toggleAttribute("open", true);
  });
}

/**
 * In the header, and in the title that a background tab shows.
 * @param {string} number
 */
function showNumber(number) {
  const bell = byId("bell");
  bell.hidden = number === "0";
  within(bell, ".badge").textContent = number;
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = number === "0" ? title : `(${number}) ${title}`;
}
