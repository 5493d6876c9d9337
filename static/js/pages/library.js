// The library: its buttons do what they say where they stand, and follow what happens, all of them
// by one request; Jellyfin is not asked again for that. Hearts and played marks follow what is done here.

import { stayHere } from "../dialogs.js";
import { keepSelection } from "../list/selection.js";
import { follow } from "../live/connection.js";
import { onPage } from "../navigation.js";
import { home, listener, parsed } from "../page.js";

const PAUSE_MS = 1000;

let waiting = 0;
/** @type {Set<string>} */
let marked = new Set();

onPage("library", (signal) => {
  marked = new Set();
  keepSelection(signal);
  listener(signal)("submit", ({ target }) => {
    if (target instanceof HTMLElement && target.dataset.marks) marked.add(target.dataset.marks);
  });
  stayHere(signal, freshButtons);
  follow(home(), { changed: buttonsSoon, progressed: showRings }, signal);
});

function buttonsSoon() {
  if (!waiting) waiting = window.setTimeout(freshButtons, PAUSE_MS);
}

async function freshButtons() {
  waiting = 0;
  /** @type {NodeListOf<HTMLElement>} */
  const all = document.querySelectorAll("[data-get][data-on]");
  const marks = [...marked].flatMap((item) => ["heart", "mark", "seen"].map((size) => [size, item]));
  const known = [...[...all].map(({ dataset }) => [dataset.size ?? "", dataset.get ?? ""]), ...marks];
  const next = ["next", `${window.location.pathname.slice(home().length - 1)}${window.location.search}`];
  const wanted = new URLSearchParams([...new Map(known.map((one) => [one.join(), one])).values(), next]);
  if (!known.length) return;
  try {
    const answer = await fetch(`${home()}library/buttons?${wanted}`);
    if (answer.ok) replace(parsed(await answer.text()));
  } catch {
    // The live connection tells when the server is back, and asks again.
  }
}

/** @param {Document} page */
function replace(page) {
  /** @type {NodeListOf<HTMLElement>} */
  const all = page.querySelectorAll("[data-get]");
  for (const fresh of all) {
    const { get, size, on } = fresh.dataset;
    const device = on === undefined ? ":not([data-on])" : `[data-on="${CSS.escape(on)}"]`;
    for (const old of document.querySelectorAll(`[data-get="${get}"][data-size="${size}"]${device}`)) {
      if (old.innerHTML === fresh.innerHTML) continue;
      const held = old.contains(document.activeElement);
      const next = /** @type {HTMLElement} */ (fresh.cloneNode(true));
      old.replaceWith(next);
      if (held) /** @type {HTMLElement | null} */ (next.querySelector("button, a"))?.focus();
    }
  }
}

/** @param {Progress} message */
function showRings({ transfers }) {
  // How far an album is, only the server knows.
  if (document.querySelector(".get.is-downloading:not([data-download])")) buttonsSoon();
  for (const { id, progress } of transfers) {
    for (const ring of document.querySelectorAll(`[data-download="${id}"] .ring .done`)) {
      ring.setAttribute("stroke-dasharray", `${(100 * progress).toFixed(1)} 100`);
    }
  }
}
