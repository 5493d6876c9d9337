// The page that the service worker shows: what is kept here plays, and it goes on once the sidecar is back.

import { currentFiles } from "../kept/store.js";
import { openBar } from "../player/bar.js";
import { States } from "../player/states.js";

const { home } = document.body.dataset;
const again = document.getElementById("again");
const bar = document.getElementById("player");

// It stands in place of the page that was wanted.
if (!window.location.pathname.endsWith("/without-network")) again.href = window.location.href;
// The network comes back, or only the sidecar, and the page perhaps before its service worker: it is tried again.
const LOOK_EVERY_MS = 5000;
async function goOn() {
  if (!bar.hidden || document.hidden || !navigator.onLine) return;
  const answer = await fetch(`${home}service-worker.js`, { cache: "no-store" }).catch(() => null);
  if (answer && bar.hidden) window.location.assign(again.href);
}
window.addEventListener("online", goOn);
setInterval(goOn, LOOK_EVERY_MS);

const files = await currentFiles(home);
const states = files && new States(files.account, home);
const kept = (await files?.list()) ?? [];
if (kept.length) {
  bar.dataset.account = files.account;
  document.getElementById("kept").hidden = false;
  document.getElementById("kept-files").replaceChildren(...kept.map(line));
  const player = await openBar(bar);
  player.restore();
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-plays]");
    if (!link) return;
    event.preventDefault();
    player.playFrom(link);
  });
}

function line({ item, title, artist, album, media, heart }) {
  const row = document.getElementById("kept-line").content.cloneNode(true);
  const link = row.querySelector("a");
  Object.assign(link, { href: files.address(item), textContent: title });
  Object.assign(link.dataset, { plays: item, media, title, artist: artist ?? "", album: album ?? "" });
  row.querySelector(".soft").textContent = artist ?? "";
  const button = row.querySelector("button");
  const label = button.querySelector(".hidden-label");
  label.textContent = label.textContent.replace("{title}", title);
  button.ariaPressed = String(states.heartOf(item) ?? heart ?? false);
  button.addEventListener("click", () => {
    const isFavourite = button.ariaPressed !== "true";
    states.heart(item, isFavourite);
    button.ariaPressed = String(isFavourite);
  });
  return row;
}
