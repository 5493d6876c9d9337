// Fetches the visible list again: the same address, so that tab, search and page stay.

const PAUSE_MS = 300;

let waiting = 0;

/** Ask for a fresh list soon; many wishes at once make one request. */
export function refreshSoon() {
  if (!waiting) waiting = setTimeout(refresh, PAUSE_MS);
}

async function refresh() {
  waiting = 0;
  try {
    await window.htmx.ajax("GET", window.location.href, {
      source: "#downloads",
      target: "#downloads",
      select: "#downloads",
      swap: "outerMorph",
    });
  } catch {
    // The live connection tells when the server is back, and asks again.
  }
}
