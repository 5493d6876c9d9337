// The order of the queue: rows are dragged by their grip, or moved by the arrow keys.

import { holdRefresh, refreshSoon, releaseRefresh } from "./refresh.js";
import { said } from "../messages.js";
import { byId, elementOf, listener, post, within } from "../page.js";

/**
 * The grip of an event, and the row that it moves.
 * @param {Event} event
 * @returns {{ grip?: HTMLElement | null, row?: HTMLElement | null }}
 */
function gripOf(event) {
  /** @type {HTMLElement | null | undefined} */
  const grip = elementOf(event)?.closest("[data-grip]");
  return { grip, row: grip?.closest(".row") };
}

const rows = () => [...document.querySelectorAll("#downloads .row")];
/** @param {Element} row */
const waits = (row) => row.querySelector("[data-grip]") !== null;
/**
 * The downloads of a row that wait, in their order.
 * @param {Element} row
 */
const waitingOf = (row) => within(row, "[data-grip]", HTMLButtonElement).value.split(",");

/** @param {AbortSignal} signal */
export function letRowsMove(signal) {
  const listen = listener(signal);
  listen("keydown", (event) => {
    const { grip, row } = gripOf(event);
    if (!grip || !row || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const up = event.key === "ArrowUp";
    // Over what is paused or runs: that keeps its place.
    const all = rows();
    const at = all.indexOf(row);
    const other = up ? all.slice(0, at).findLast(waits) : all.slice(at + 1).find(waits);
    if (!other) return;
    if (up) other.before(row);
    else other.after(row);
    grip.focus();
    send(row);
  });
  listen("pointerdown", (event) => {
    const { row } = gripOf(event);
    if (row && event.button === 0) drag(row, event);
  });
}

/**
 * @param {HTMLElement} row
 * @param {PointerEvent} start
 */
function drag(row, start) {
  const before = row.nextElementSibling;
  start.preventDefault();
  holdRefresh();
  row.classList.add("moving");
  /** @param {PointerEvent} event */
  const follow = (event) => {
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest(".row");
    if (!under || under === row || !waits(under)) return;
    const box = under.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) under.before(row);
    else under.after(row);
  };
  const over = new AbortController();
  const end = () => {
    over.abort();
    row.classList.remove("moving");
    if (row.nextElementSibling === before) releaseRefresh();
    else send(row).finally(releaseRefresh);
  };
  // On the document: a row that is moved loses what its grip had captured.
  document.addEventListener("pointermove", follow, { signal: over.signal });
  document.addEventListener("pointerup", end, { signal: over.signal });
  document.addEventListener("pointercancel", end, { signal: over.signal });
}

/** @param {HTMLElement} row */
async function send(row) {
  // Read now: until the answer is here, the list may have been fetched anew.
  const place = rows().indexOf(row) + 1;
  const after = rows().slice(place).find(waits);
  const next = after ? waitingOf(after)[0] : within(document, "[data-next]").dataset.next;
  const title = within(row, "h2").textContent ?? "";
  try {
    const isMoved = [];
    for (const id of waitingOf(row)) {
      const answer = await post(`api/v1/downloads/${id}/move`, { before: next ? Number(next) : null });
      isMoved.push(answer.ok);
    }
    if (isMoved.every(Boolean)) {
      byId("told").textContent = said("{title} is now number {place} here", { title, place });
    }
  } finally {
    refreshSoon();
  }
}
