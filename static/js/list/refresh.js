// Fetches the visible list again: the same address, so that tab, search and page stay.

const PAUSE_MS = 300;

let waiting = 0;
let running = false;
let missed = false;

/** Ask for a fresh list soon; many wishes at once make one request. */
export function refreshSoon() {
  if (!waiting) waiting = setTimeout(refresh, PAUSE_MS);
}

async function refresh() {
  waiting = 0;
  // A request beside a running one is dropped, and what has changed since that one was answered with it.
  if (running) {
    missed = true;
    return;
  }
  running = true;
  try {
    // A list, or the home page.
    const place = `#${document.querySelector("#downloads, #home").id}`;
    await window.htmx.ajax("GET", window.location.href, {
      source: place,
      target: place,
      select: place,
      swap: "outerMorph",
    });
  } catch {
    // The live connection tells when the server is back, and asks again.
  } finally {
    running = false;
  }
  if (missed) {
    missed = false;
    refreshSoon();
  }
}
