// The page of this browser: it fetches what is to be kept, and says how it goes and how much room there is.

import { endBackground } from "../kept/background.js";
import { keepUp } from "../kept/keeper.js";
import { KeptFiles } from "../kept/store.js";
import { said } from "../messages.js";
import { size } from "../numbers.js";
import { byId, home } from "../page.js";

/** @param {AbortSignal} signal */
export async function startKeeping(signal) {
  const files = new KeptFiles(home(), byId("player").dataset.account ?? "");
  /**
   * @param {string} name
   * @param {string} text
   */
  function tell(name, text) {
    const place = document.getElementById(name);
    if (place) place.textContent = text;
  }
  if (!("caches" in globalThis) || !navigator.serviceWorker) {
    tell("kept-trouble", said("This browser keeps files only over https."));
    return;
  }
  // Nothing is chosen here any more: nothing of it stays.
  if (!document.getElementById("keeping")) {
    if (await caches.has(`sidecar-kept ${home()}`)) await files.clear();
    await endBackground(files.account);
    return;
  }

  async function show() {
    const list = document.getElementById("kept-files");
    if (!list) return;
    const kept = await files.list();
    const none = document.createElement("li");
    none.textContent = list.dataset.empty ?? "";
    list.replaceChildren(...(kept.length ? kept.map(line) : [none]));
    const bar = byId("kept-bar", HTMLProgressElement);
    bar.value = kept.reduce((sum, one) => sum + one.size, 0);
    tell("kept-used", said("{used} of {size} used", { used: size(bar.value), size: size(bar.max) }));
    const { usage = 0, quota } = (await navigator.storage.estimate?.()) ?? {};
    const stays = (await navigator.storage.persisted?.()) ?? false;
    const words = stays ? said("The browser keeps it for good.") : said("The browser may remove it when space runs out.");
    if (quota) tell("kept-quota", `${said("{used} of {size} that this browser allows are used.", { used: size(usage), size: size(quota) })} ${words}`);
  }

  /** @param {KeptFile} one */
  function line(one) {
    const row = document.createElement("li");
    const link = document.createElement("a");
    const { title, artist, album, media, item } = one;
    Object.assign(link, { href: files.address(item), textContent: title });
    Object.assign(link.dataset, { plays: item, media, title, artist: artist ?? "", album: album ?? "" });
    const about = document.createElement("span");
    about.className = "soft small";
    about.textContent = ` ${[artist, size(one.size)].filter(Boolean).join(" · ")}`;
    row.append(link, about);
    return row;
  }

  const now = (/** @type {string} */ text) => tell("kept-now", text);
  const sync = () => keepUp({ now, trouble: (text) => tell("kept-trouble", text), changed: show });
  // At once: without it nothing that is kept can be played.
  await navigator.serviceWorker.register(`${home()}service-worker.js`).catch(() => {});
  await files.makeCurrent();
  await files.change({ isKeeping: true });
  await navigator.storage.persist?.();
  const { isForgottenAtSignOut = false } = await files.settings();
  const box = byId("forget-at-sign-out", HTMLInputElement);
  const remember = () => files.change({ isForgottenAtSignOut: box.checked });
  box.addEventListener("change", remember, { signal });
  // It may have been ticked before this script was there.
  if (box.checked) await remember();
  else box.checked = isForgottenAtSignOut;
  byId("kept-sync").hidden = false;
  byId("kept-sync").addEventListener("click", sync, { signal });
  await show();
  await sync();
}
