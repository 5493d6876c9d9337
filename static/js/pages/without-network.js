// The page that the service worker shows: what is kept here plays, and it goes on once the sidecar is back.

import { currentFiles } from "../kept/store.js";
import { byId, elementOf, home, within } from "../page.js";
import { openBar } from "../player/bar.js";
import { States } from "../player/states.js";

const again = byId("again", HTMLAnchorElement);
const bar = byId("player");

// It stands in place of the page that was wanted.
if (!window.location.pathname.endsWith("/without-network")) again.href = window.location.href;
// The network comes back, or only the sidecar, and the page perhaps before its service worker: it is tried again.
const LOOK_EVERY_MS = 5000;
async function goOn() {
  if (!bar.hidden || document.hidden || !navigator.onLine) return;
  const answer = await fetch(`${home()}service-worker.js`, { cache: "no-store" }).catch(() => null);
  if (answer && bar.hidden) window.location.assign(again.href);
}
window.addEventListener("online", goOn);
setInterval(goOn, LOOK_EVERY_MS);

const files = await currentFiles(home());
const kept = (await files?.list()) ?? [];
if (files && kept.length) {
  const states = new States(files.account, home());
  bar.dataset.account = files.account;
  byId("kept").hidden = false;
  byId("kept-files").replaceChildren(...kept.map((one) => line(one, files.address(one.item), states)));
  const player = await openBar();
  player.restore();
  document.addEventListener("click", (event) => {
    /** @type {HTMLAnchorElement | null | undefined} */
    const link = elementOf(event)?.closest("a[data-plays]");
    if (!link) return;
    event.preventDefault();
    player.playFrom(link);
  });
}

/**
 * @param {KeptFile} file
 * @param {string} address
 * @param {States} states
 */
function line({ item, title, artist, album, media, heart }, address, states) {
  const row = document.importNode(byId("kept-line", HTMLTemplateElement).content, true);
  const link = within(row, "a", HTMLAnchorElement);
  Object.assign(link, { href: address, textContent: title });
  Object.assign(link.dataset, { plays: item, media, title, artist: artist ?? "", album: album ?? "" });
  within(row, ".soft").textContent = artist ?? "";
  const button = within(row, "button");
  const label = within(button, ".hidden-label");
  label.textContent = (label.textContent ?? "").replace("{title}", title);
  button.ariaPressed = String(states.heartOf(item) ?? heart ?? false);
  button.addEventListener("click", () => {
    const isFavourite = button.ariaPressed !== "true";
    states.heart(item, isFavourite);
    button.ariaPressed = String(isFavourite);
  });
  return row;
}
