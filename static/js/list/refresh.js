// Fetches the visible list again: the same address, so that tab, search and page stay.

import htmx from "htmx.org";
import { byId, listener } from "../page.js";

const PAUSE_MS = 300;
const RESTS = 3;
const LONGEST_REST_MS = 10_000;

let waiting = 0;
let due = 0;
let rested = 0;
let running = false;
let missed = false;
let held = false;

/** Ask for a fresh list soon; many wishes at once make one request. */
export function refreshSoon(pause = PAUSE_MS) {
  const at = performance.now() + pause;
  if (waiting && at >= due) return;
  clearTimeout(waiting);
  due = at;
  waiting = window.setTimeout(refresh, pause);
}

/** Ask for it because of news: a thousand in a row leave the sidecar most of its time for what they tell of. */
export const followNews = () => refreshSoon(Math.max(PAUSE_MS, rested - performance.now()));

export const isRefreshing = () => running;

/** Leave the list as it is while a row is in somebody's hand, or is read; what is missed is fetched after it. */
export function holdRefresh() {
  held = true;
}

/** Let the list be fetched again. */
export function releaseRefresh() {
  held = false;
  if (missed) followNews();
}

/**
 * Leave a list alone while its top is out of sight: who reads further down would lose their place.
 * @param {string} id
 * @param {AbortSignal} signal
 */
export function followAtTop(id, signal) {
  listener(signal)("scroll", () => (byId(id).getBoundingClientRect().top < 0 ? holdRefresh() : releaseRefresh()));
  signal.addEventListener("abort", releaseRefresh);
}

function rows() {
  /** @type {NodeListOf<HTMLElement>} */
  const all = document.querySelectorAll("#main li");
  return [...all].filter((one) => one.checkVisibility());
}

/** On every page that is put in place: what is open or closed stays so, what has the focus keeps it. */
export function keepPlace() {
  let focused = "";
  let at = -1;
  let had = false;
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx } = event.detail;
    // Also what was asked for before the row was taken.
    if (held && (ctx.target?.id === "downloads" || ctx.target === ctx.sourceElement)) {
      event.preventDefault();
      missed = true;
      return;
    }
    const active = document.activeElement;
    focused = active?.id ?? "";
    at = rows().findIndex((row) => row.contains(active));
    had = active !== null && active !== document.body;
    for (const { fragment } of event.detail.tasks) {
      // A row that the keys have reached can have the focus only as long as it has this.
      if (document.activeElement?.matches(".row")) fragment.querySelector(`#${focused}`)?.setAttribute("tabindex", "-1");
      for (const one of document.querySelectorAll("main details[id]")) {
        fragment.querySelector(`#${one.id}`)?.toggleAttribute("open", one.hasAttribute("open"));
      }
    }
  });
  document.addEventListener("htmx:after:swap", () => {
    if (!had || document.activeElement !== document.body) return;
    // A row that moved lost it on the way; where one is gone, its neighbour has it.
    const next = document.getElementById(focused) ?? rows()[Math.min(at, rows().length - 1)] ?? byId("main");
    if (next.matches("li")) next.tabIndex = -1;
    next.focus({ preventScroll: true });
  });
}

async function refresh() {
  waiting = 0;
  // A request beside a running one is dropped, and what has changed since that one was answered with it.
  if (running || held) {
    missed = true;
    return;
  }
  [running, missed] = [true, false];
  const begun = performance.now();
  try {
    // A list, the home page, or the devices.
    const list = document.querySelector("#downloads, #happened, #home, [data-page='devices'] #main");
    if (!list) return;
    const place = `#${list.id}`;
    await htmx.ajax("GET", window.location.href, { source: place, target: place, select: place, swap: "outerMorph" });
  } catch {
    // The live connection tells when the server is back, and asks again.
  } finally {
    running = false;
    rested = performance.now() + Math.min(RESTS * (performance.now() - begun), LONGEST_REST_MS);
  }
  if (missed && !held) followNews();
}
