// What a row has to tell beyond its line: the address of the list says which rows are open.

import { isRefreshing, refreshSoon } from "./refresh.js";
import { rename } from "../navigation.js";
import { elementOf, home, listener, parsed, within } from "../page.js";

/** @param {AbortSignal} signal */
export function letRowsOpen(signal) {
  const listen = listener(signal);
  listen("click", (event) => {
    /** @type {HTMLButtonElement | null | undefined} */
    const button = elementOf(event)?.closest("button.opens");
    if (!button) return;
    event.preventDefault();
    const address = new URL(window.location.href);
    if (isOpen(button.value)) address.searchParams.delete("open", button.value);
    else address.searchParams.append("open", button.value);
    rename(address.href);
    show(button);
  });
  // A title that is cut is read in whole under the pointer.
  listen("pointerover", (event) => {
    const title = elementOf(event)?.closest(".row h2");
    if (title instanceof HTMLElement) title.title = title.textContent ?? "";
  });
}

/** @param {string} id */
const isOpen = (id) => new URLSearchParams(window.location.search).getAll("open").includes(id);

/**
 * Show a row as the address has it.
 * @param {HTMLButtonElement} button
 */
async function show(button) {
  // A list that was asked for before the address changed has this row as it was.
  if (isRefreshing()) return refreshSoon(0);
  const row = button.closest(".row");
  const id = button.value;
  const isNow = isOpen(id);
  try {
    const details = isNow ? await fetched(`${home()}downloads/${id}/details${window.location.search}`) : "";
    if (!row || isOpen(id) !== isNow) return;
    row.querySelector(".opened")?.remove();
    if (details) row.append(details);
    row.classList.toggle("is-open", isNow);
    button.ariaExpanded = String(isNow);
  } catch {
    // It is not in this list any more, or the sidecar is away: the list says so.
    refreshSoon(0);
  }
}

/** @param {string} address */
async function fetched(address) {
  const answer = await fetch(address);
  return within(parsed(await answer.text()), ".opened");
}
