// Every page of a signed-in person: it follows what happens, and what it plays goes on on the next one.

import { openAlertsByBell } from "../alerts.js";
import { listen } from "../keyboard.js";
import { keepPlace } from "../list/refresh.js";
import { connect } from "../live/connection.js";
import { onPage } from "../navigation.js";
import { elementOf, home as homeOf } from "../page.js";
import { Journal, hasHeard } from "../player/journal.js";
import { isRemembered } from "../player/place.js";
import { sayValuesOfSliders } from "../sliders.js";
import { isTouched, putBackTyped } from "../typed.js";

const home = homeOf();
const bar = document.getElementById("player");

putBackTyped();
takeUp();
openAlertsByBell();
keepPlace();
sayValuesOfSliders();
if (document.body.dataset.keys !== "off") listen();
connect(home);

// For the page without a network; not while this page still comes.
const WORKER_AFTER_MS = 3000;
const LOOK_EVERY_MS = 15 * 60_000;
setTimeout(() => navigator.serviceWorker?.register(`${home}service-worker.js`).catch(() => {}), WORKER_AFTER_MS);

// What was heard without a network, and what this browser is to keep.
const { account } = bar?.dataset ?? {};
async function catchUp() {
  if (!account) return;
  if (hasHeard(account, home)) await new Journal(account, home).send();
  if (Object.keys(localStorage).some((one) => one.startsWith("sidecar-states "))) {
    const { States } = await import("../later.js");
    await new States(account, home).send();
  }
  if (!navigator.serviceWorker || !("caches" in window) || !(await caches.has(`sidecar-kept ${home}`))) return;
  const { KeptFiles, keepUp } = await import("../later.js");
  const files = new KeptFiles(home, account);
  await files.makeCurrent();
  if (!(await files.settings()).isKeeping || document.getElementById("keeping")) return;
  await keepUp();
}
setTimeout(catchUp, WORKER_AFTER_MS);
setInterval(catchUp, LOOK_EVERY_MS);
window.addEventListener("online", catchUp);

/** @type {Record<string, "startKeeping" | "startNotifications" | "startReplay">} */
const PAGES = { "this-browser": "startKeeping", notifications: "startNotifications", replay: "startReplay" };
for (const [name, start] of Object.entries(PAGES)) {
  onPage(name, async (signal) => {
    const later = await import("../later.js");
    if (!signal.aborted) await later[start](signal);
  });
}

// The player comes when it is first needed.
/** @type {Promise<import("../player/bar.js").Bar> | null} */
let opened = null;
const player = () => (opened ??= import("../later.js").then(({ openBar }) => openBar()));

if (account && isRemembered(account, home)) player().then((one) => one.restore());
document.addEventListener("click", async (event) => {
  /** @type {HTMLAnchorElement | null | undefined} */
  const link = elementOf(event)?.closest("a[data-plays], [data-plays-all], a[data-queues]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.closest("dialog")?.close();
  const bar = await player();
  if (link.dataset.queues) bar.queueFrom(link);
  else bar.playFrom(link);
});

/** Take what was typed or chosen before the scripts were there as if it were done now. */
function takeUp() {
  /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */
  const all = document.querySelectorAll("main :is(input, select)");
  const touched = [...all].filter(isTouched);
  const ticked = touched.filter((one) => one.matches(":checked"));
  // In a moment, when htmx has taken its controls; until then a box that stands for others may be unticked.
  setTimeout(() => {
    for (const one of touched) {
      if (ticked.includes(one)) Object.assign(one, { checked: true });
      one.dispatchEvent(new Event("input", { bubbles: true }));
      // Of what is typed a browser tells this only when it is left.
      if (one.matches("select, [type=checkbox], [type=radio]")) one.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}

