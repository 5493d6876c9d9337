// The page that the service worker shows: it goes on by itself once the sidecar is back.

const again = document.getElementById("again");

// It stands in place of the page that was wanted.
if (!window.location.pathname.endsWith("/without-network")) again.href = window.location.href;
window.addEventListener("online", () => window.location.assign(again.href));
