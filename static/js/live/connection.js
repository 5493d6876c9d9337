// The live connection: it brings news and the truth again after every break; it sends nothing.

import { io } from "socket.io-client";
import { Order } from "./sequence.js";
import { refreshAlerts } from "../alerts.js";
import { said } from "../messages.js";
import { byId, within } from "../page.js";
import { keepTyped } from "../typed.js";

const OF_DOWNLOADS = ["queued", "started", "completed", "failed", "removed"].map((one) => `download:${one}`);
const CHANGES = [...OF_DOWNLOADS, "device", "notice"];

const OF_ALERTS = new Set(["notice", "device", "download:failed", "download:removed"]);

/** @type {Set<Follower>} */
const followers = new Set();
/** @type {import("socket.io-client").Socket | null} */
let socket = null;

/**
 * Follow what happens until `signal`.
 * @param {string} home
 * @param {Follower} follower
 * @param {AbortSignal} signal
 */
export function follow(home, follower, signal) {
  followers.add(follower);
  signal.addEventListener("abort", () => followers.delete(follower));
  connect(home);
}

/**
 * Be connected: one connection for all pages that are shown one after the other.
 * @param {string} home
 */
export function connect(home) {
  if (socket) return;
  const order = new Order();
  const changed = () => followers.forEach((one) => one.changed());
  /** @param {Progress} message */
  const progressed = (message) => followers.forEach((one) => one.progressed(message));
  socket = io({ path: `${home}socket.io`, transports: ["websocket", "polling"], tryAllTransports: true });

  socket.on("snapshot", (/** @type {Snapshot} */ message) => {
    order.begin(message.seq);
    byId("offline").hidden = true;
    if (byId("main").dataset.version === message.version) return;
    refreshAlerts();
    changed();
  });
  socket.on("download:progress", (/** @type {Progress} */ message) => {
    if (!order.follows(message.seq)) changed();
    progressed(message);
  });
  for (const name of CHANGES) {
    socket.on(name, (/** @type {Numbered} */ message) => {
      order.follows(message.seq);
      if (OF_ALERTS.has(name)) refreshAlerts();
      changed();
    });
  }
  socket.on("connect_error", () => lost(home, said("The sidecar does not answer. Trying again …")));
  socket.on("disconnect", (reason) => {
    if (reason !== "io server disconnect") lost(home, said("The connection to the sidecar is lost. Trying again …"));
    else lost(home, said("This page no longer changes by itself, perhaps as too many are open: close some, then load it again."));
  });
}

/**
 * Say what is wrong; where the session has ended, the page loaded again leads to the sign-in and back here.
 * @param {string} home
 * @param {string} sentence
 */
async function lost(home, sentence) {
  showTrouble(sentence);
  const isSignedOut = await fetch(`${home}api/v1/session`).then(({ status }) => status === 401, () => false);
  if (!isSignedOut) return;
  keepTyped();
  window.location.reload();
}

/** @param {string} sentence */
function showTrouble(sentence) {
  const place = byId("offline");
  within(place, "span").textContent = sentence;
  place.hidden = false;
}

