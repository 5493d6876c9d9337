// The switch that lets this browser be told: asks the browser, and tells the sidecar where.

import { onPage } from "../navigation.js";

onPage(import.meta.url, (signal) => {
  const { home, csrf } = document.body.dataset;
  const place = document.getElementById("this-browser");
  if (!place) return;
  const tell = (name) => {
    for (const one of place.querySelectorAll("[data-says]")) one.hidden = one.dataset.says !== name;
  };
  if (!window.isSecureContext) return tell("insecure");
  if (!navigator.serviceWorker || !("PushManager" in window) || !("Notification" in window)) return tell("cannot");

  async function worker() {
    await navigator.serviceWorker.register(`${home}service-worker.js`);
    return navigator.serviceWorker.ready;
  }

  async function begin() {
    if ((await Notification.requestPermission()) !== "granted") return tell("denied");
    const { pushManager } = await worker();
    // One of another key, such as of before a restore, stands in the way.
    await (await pushManager.getSubscription())?.unsubscribe();
    const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: place.dataset.key });
    const { endpoint, keys } = made.toJSON();
    const answer = await fetch(`${home}profile/notifications/browser`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Sidecar-CSRF": csrf },
      body: JSON.stringify({ endpoint, p256dh: keys.p256dh, auth: keys.auth }),
    });
    if (answer.ok) return window.location.assign(`${home}profile/notifications?saved=yes`);
    await made.unsubscribe();
    tell(answer.status === 422 ? "unknown" : "failed");
  }

  const on = place.querySelector("[data-turns=on]");
  if (on) {
    on.hidden = false;
    on.addEventListener("click", () => begin().catch(() => tell("failed")), { signal });
  }
  // The sidecar is told by the form; the browser need not keep its end.
  place.querySelector("[data-turns=off]")?.addEventListener("submit", async () => {
    const registration = await navigator.serviceWorker.getRegistration(home);
    await (await registration?.pushManager.getSubscription())?.unsubscribe();
  }, { signal });
});
