// The library: its buttons do what they say where they stand, and follow what happens, all of them
// by one request; Jellyfin is not asked again for that.

import { stayHere } from "../dialogs.js";
import { keepSelection } from "../list/selection.js";
import { follow } from "../live/connection.js";
import { onPage } from "../navigation.js";

const PAUSE_MS = 1000;
const { home } = document.body.dataset;

let waiting = 0;

onPage("library", (signal) => {
  keepSelection(signal);
  stayHere(signal, freshButtons);
  follow(home, { changed: buttonsSoon, progressed: showRings }, signal);
});

function buttonsSoon() {
  if (!waiting) waiting = setTimeout(freshButtons, PAUSE_MS);
}

async function freshButtons() {
  waiting = 0;
  const known = [...document.querySelectorAll("[data-get]")].map(({ dataset }) => [dataset.size, dataset.get]);
  const next = ["next", `${window.location.pathname.slice(home.length - 1)}${window.location.search}`];
  const wanted = new URLSearchParams([...new Map(known.map((one) => [one.join(), one])).values(), next]);
  if (!known.length) return;
  try {
    const answer = await fetch(`${home}library/buttons?${wanted}`);
    if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // The live connection tells when the server is back, and asks again.
  }
}

function replace(page) {
  for (const fresh of page.querySelectorAll("[data-get]")) {
    const { get, size, on } = fresh.dataset;
    for (const old of document.querySelectorAll(`[data-get="${get}"][data-size="${size}"][data-on="${CSS.escape(on)}"]`)) {
      if (old.innerHTML === fresh.innerHTML) continue;
      const held = old.contains(document.activeElement);
      const next = fresh.cloneNode(true);
      old.replaceWith(next);
      if (held) next.querySelector("button, a")?.focus();
    }
  }
}

function showRings({ transfers }) {
  // How far an album is, only the server knows.
  if (document.querySelector(".get.is-downloading:not([data-download])")) buttonsSoon();
  for (const { id, progress } of transfers) {
    for (const ring of document.querySelectorAll(`[data-download="${id}"] .ring .done`)) {
      ring.setAttribute("stroke-dasharray", `${(100 * progress).toFixed(1)} 100`);
    }
  }
}
