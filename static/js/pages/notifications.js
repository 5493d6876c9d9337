// The switch that lets this browser be told: asks the browser, and tells the sidecar where.

import { home, post } from "../page.js";

/** @param {AbortSignal} signal */
export function startNotifications(signal) {
  const place = document.getElementById("this-browser");
  if (!place) return;
  /** @param {string} name */
  function tell(name) {
    for (const one of place?.querySelectorAll("[data-says]") ?? []) {
      if (one instanceof HTMLElement) one.hidden = one.dataset.says !== name;
    }
  }
  if (!window.isSecureContext) return tell("insecure");
  if (!navigator.serviceWorker || !("PushManager" in window) || !("Notification" in window)) return tell("cannot");

  async function begin() {
    if ((await Notification.requestPermission()) !== "granted") return tell("denied");
    await navigator.serviceWorker.register(`${home()}service-worker.js`);
    const { pushManager } = await navigator.serviceWorker.ready;
    // One of another key, such as of before a restore, stands in the way.
    await (await pushManager.getSubscription())?.unsubscribe();
    const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: place?.dataset.key });
    const { endpoint, keys } = made.toJSON();
    const answer = await post("profile/notifications/browser", { endpoint, p256dh: keys?.p256dh, auth: keys?.auth });
    if (answer.ok) return window.location.assign(`${home()}profile/notifications?saved=yes`);
    await made.unsubscribe();
    tell(answer.status === 422 ? "unknown" : "failed");
  }

  const on = place.querySelector("[data-turns=on]");
  if (on instanceof HTMLElement) {
    on.hidden = false;
    on.addEventListener("click", () => begin().catch(() => tell("failed")), { signal });
  }
  async function end() {
    const registration = await navigator.serviceWorker.getRegistration(home());
    await (await registration?.pushManager.getSubscription())?.unsubscribe();
  }
  // The sidecar is told by the form; the browser need not keep its end.
  place.querySelector("[data-turns=off]")?.addEventListener("submit", () => void end(), { signal });
}
