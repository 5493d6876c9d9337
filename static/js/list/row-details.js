// What a row has to tell beyond its line: the address of the list says which rows are open.

import { refreshSoon } from "./refresh.js";
import { rename } from "../navigation.js";
import { elementOf, listener } from "../page.js";

/** @param {AbortSignal} signal */
export function letRowsOpen(signal) {
  const listen = listener(signal);
  listen("click", (event) => {
    /** @type {HTMLButtonElement | null | undefined} */
    const button = elementOf(event)?.closest("button.opens");
    if (!button) return;
    event.preventDefault();
    const address = new URL(window.location.href);
    const isOpen = address.searchParams.getAll("open").includes(button.value);
    if (isOpen) address.searchParams.delete("open", button.value);
    else address.searchParams.append("open", button.value);
    rename(address.href);
    refreshSoon(0);
  });
  // A title that is cut is read in whole under the pointer.
  listen("pointerover", (event) => {
    const title = elementOf(event)?.closest(".row h2");
    if (title instanceof HTMLElement) title.title = title.textContent ?? "";
  });
}
