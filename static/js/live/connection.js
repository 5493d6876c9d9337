// The live connection: it brings news and the truth again after every break; it sends nothing.

import { io } from "../../vendor/socket.io.esm.min.js";
import { Order } from "./sequence.js";
import { refreshAlerts } from "../alerts.js";
import { said } from "../messages.js";

const CHANGES = [
  "download:queued",
  "download:started",
  "download:completed",
  "download:failed",
  "download:removed",
  "device",
  "notice",
];

const OF_ALERTS = new Set(["notice", "device", "download:failed", "download:removed"]);

const followers = new Set();
let socket = null;

/** Until `signal`: `changed()` is called when the page may be wrong, `progressed(message)` for transfers. */
export function follow(home, follower, signal) {
  followers.add(follower);
  signal.addEventListener("abort", () => followers.delete(follower));
  connect(home);
}

/** Be connected: one connection for all pages that are shown one after the other. */
export function connect(home) {
  if (socket) return;
  const order = new Order();
  const changed = () => followers.forEach((one) => one.changed());
  const progressed = (message) => followers.forEach((one) => one.progressed(message));
  socket = io({
    path: `${home}socket.io`,
    transports: ["websocket", "polling"],
    tryAllTransports: true,
  });

  socket.on("snapshot", (message) => {
    order.begin(message.seq);
    hideTrouble();
    if (document.getElementById("main").dataset.version === message.version) return;
    refreshAlerts();
    changed();
  });
  socket.on("download:progress", (message) => {
    if (!order.follows(message.seq)) changed();
    progressed(message);
  });
  for (const name of CHANGES) {
    socket.on(name, (message) => {
      order.follows(message.seq);
      if (OF_ALERTS.has(name)) refreshAlerts();
      changed();
    });
  }
  socket.on("connect_error", () => showTrouble(said("The sidecar does not answer. Trying again …")));
  socket.on("disconnect", async (reason) => {
    if (reason !== "io server disconnect") {
      showTrouble(said("The connection to the sidecar is lost. Trying again …"));
    } else if (await isSignedIn(home)) {
      showTrouble(said("This page no longer changes by itself. Load it again to see how things stand."));
    } else {
      window.location.reload();
    }
  });
}

async function isSignedIn(home) {
  try {
    return (await fetch(`${home}api/v1/session`)).ok;
  } catch {
    return true;
  }
}

function showTrouble(sentence) {
  const place = document.getElementById("offline");
  // Not every page has much that could be out of date.
  if (!place) return;
  place.querySelector("span").textContent = sentence;
  place.hidden = false;
}

function hideTrouble() {
  const place = document.getElementById("offline");
  if (place) place.hidden = true;
}
