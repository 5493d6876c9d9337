// What the browser itself fetches, so that it goes on once no page of ours is open: where it has Background
// Fetch, and lets this page use it. The service worker takes what has come.

import { said } from "../messages.js";
import { size } from "../numbers.js";
import { home } from "../page.js";
import { fetchName } from "./store.js";

const MANY = 2;

/**
 * Let the browser fetch these files, or follow what it fetches already; returns once it has ended, whatever came.
 * @param {import("./store.js").KeptFiles} files
 * @param {WantedFile[]} wanted
 * @param {number} room what may still be kept, in bytes
 * @param {(text: string) => void} now
 * @returns {Promise<boolean>} whether somebody has ended it in the browser
 */
export async function takeInBackground(files, wanted, room, now) {
  const manager = await backgroundFetch();
  if (!manager) return false;
  const taken = new Promise((resolve) => navigator.serviceWorker.addEventListener("message", resolve, { once: true }));
  const running = (await manager.get(fetchName(files.account))) ?? (await begin(manager, files, wanted, room));
  if (!running) return false;
  await new Promise((resolve) => {
    const show = () => {
      if (running.result) return resolve(undefined);
      const done = running.downloadTotal
        ? said("{done} of {size}", { done: size(running.downloaded), size: size(running.downloadTotal) })
        : size(running.downloaded);
      now(`${said("The browser is downloading, also after you close this page:")} ${done}`);
    };
    running.addEventListener("progress", show);
    show();
  });
  // What came is kept by the service worker, which says when it is done.
  await taken;
  return running.failureReason === "aborted";
}

/**
 * @param {BackgroundFetchManager} manager
 * @param {import("./store.js").KeptFiles} files
 * @param {WantedFile[]} wanted
 * @param {number} room
 */
async function begin(manager, files, wanted, room) {
  const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  // Until the service worker has taken a file, it is there twice.
  let left = Math.min(room, (quota - usage) / 2);
  const fitting = wanted.filter((one) => one.size && (left -= one.size) >= 0);
  // One file is here before anybody has closed the page.
  if (fitting.length < MANY) return undefined;
  const coming = [];
  for (const one of fitting) {
    const source = await (await fetch(`${home()}api/v1/items/${one.item}/source`)).json();
    // What is refused is told by whoever takes it one by one.
    if (source.url ?? source.stream_url) coming.push({ ...one, url: source.url ?? source.stream_url, isOriginal: !source.url });
  }
  if (!coming.length) return undefined;
  await files.expect(coming);
  return manager.fetch(fetchName(files.account), coming.map(({ url }) => url), {
    title: said("Jellyfin Sidecar: {number} files", { number: coming.length }),
    icons: [{ src: `${home()}static/icons/icon-192.png`, sizes: "192x192", type: "image/png" }],
    // A copy from a device may have another size, and the browser gives up whatever is larger than told.
    downloadTotal: coming.every((one) => one.isOriginal) ? coming.reduce((sum, one) => sum + (one.size ?? 0), 0) : 0,
  });
}

/**
 * End what the browser fetches for an account.
 * @param {string} account
 */
export async function endBackground(account) {
  const manager = await backgroundFetch();
  await (await manager?.get(fetchName(account)))?.abort();
}

/** @returns {Promise<BackgroundFetchManager | undefined>} */
async function backgroundFetch() {
  const registration = await navigator.serviceWorker?.getRegistration(home());
  if (!registration?.active || !registration.backgroundFetch) return undefined;
  // Else it would wait in the browser for a person's yes, and nothing would come meanwhile.
  const name = /** @type {PermissionName} */ ("background-fetch");
  const asked = await navigator.permissions.query({ name }).catch(() => null);
  return asked?.state === "granted" ? registration.backgroundFetch : undefined;
}
