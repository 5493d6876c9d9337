// Questions in a dialog, and buttons that do not lead away: the same forms, the same pages.

import { refreshSoon } from "./list/refresh.js";
import { clearSelection } from "./list/selection.js";
import { visit } from "./navigation.js";
import { byId, elementOf, fieldsOf, listener, parsed } from "./page.js";

// Forms that are answered in place. `HX-Request` says so to the server.
const FORMS = "#downloads, #asking, #done, .get, #chosen, [data-marks]";
const IN_PLACE = { "HX-Request": "true" };

let changed = refreshSoon;

/**
 * Let links that ask and forms that act stay on this page; `afterwards` shows what has changed.
 * @param {AbortSignal} signal
 */
export function stayHere(signal, afterwards = refreshSoon) {
  changed = afterwards;
  const listen = listener(signal);
  listen("click", (event) => {
    if (event.target === theDialog()) theDialog().close();
    if (elementOf(event)?.closest("[data-dismisses]")) {
      event.preventDefault();
      byId("done").replaceChildren();
      byId("main").focus({ preventScroll: true });
      return;
    }
    /** @type {HTMLAnchorElement | null | undefined} */
    const link = elementOf(event)?.closest("a[data-asks], a[data-closes]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.dataset.asks !== undefined) {
      event.preventDefault();
      // What had the focus has it again after the dialog: of a menu that closes, the button that opened it.
      /** @type {HTMLElement | null} */ (link.closest(":popover-open"))?.hidePopover();
      ask(link.href);
    } else if (theDialog().contains(link)) {
      event.preventDefault();
      theDialog().close();
    }
  });
  listen("submit", (event) => {
    const { target: form, submitter: button } = event;
    if (!(form instanceof HTMLFormElement) || form.method !== "post" || !form.closest(FORMS)) return;
    event.preventDefault();
    if (button?.ariaBusy === "true") return;
    const body = fieldsOf(form, button);
    // Not `form.action`: a button of this name would hide it.
    const address = button?.getAttribute("formaction") ?? form.getAttribute("action") ?? "";
    const asked = ask(address, { method: "POST", body, headers: IN_PLACE });
    // Many take their time: who pressed sees that it is being done, and cannot press twice.
    button?.setAttribute("aria-busy", "true");
    asked.finally(() => button?.removeAttribute("aria-busy"));
  });
  listen("change", ({ target }) => {
    const form = target instanceof HTMLInputElement || target instanceof HTMLSelectElement ? target.form : null;
    if (form?.matches("[data-live]")) form.requestSubmit();
  });
}

// Looked up each time: going back brings a new one.
const theDialog = () => byId("asking", HTMLDialogElement);

/**
 * @param {string} address
 * @param {RequestInit} [options]
 */
async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    // The live connection tells that the server is away.
    return;
  }
  const dialog = theDialog();
  const page = parsed(await answer.text());
  const questions = page.querySelectorAll("main > section");
  if (answer.redirected || (page.getElementById("done") && !questions.length)) {
    dialog.close();
    // Somewhere else: what this page showed is no more.
    if (answer.redirected && new URL(answer.url).pathname !== window.location.pathname) visit(answer.url);
    else tell(page);
    return;
  }
  dialog.replaceChildren(...questions);
  if (!dialog.open) dialog.showModal();
}

/**
 * Say what was done, with its way back; who pressed a button that is gone, also behind the dialog, stays near it.
 * @param {Document} page
 */
function tell(page) {
  const place = byId("done");
  const had = place.contains(document.activeElement);
  place.replaceChildren(...(page.getElementById("done")?.childNodes ?? []));
  if (had || document.activeElement === document.body) place.focus();
  clearSelection();
  changed();
}
