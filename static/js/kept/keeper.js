// Fetches what this browser is to keep, one file after the other, and removes what it is not to keep any more.

import { takeInBackground } from "./background.js";
import { KeptFiles } from "./store.js";
import { said } from "../messages.js";
import { size } from "../numbers.js";
import { byId, home, post } from "../page.js";

// What the browser itself needs stays free.
const SPARE_BYTES = 50_000_000;

/**
 * How it goes: what comes now, what stands in its way, and that what is kept has changed.
 * @typedef {{ now?: (text: string) => void, trouble?: (text: string) => void, changed?: () => void | Promise<void> }} Tell
 */

/**
 * Bring what is kept up to date; one page at a time. `tell` says how it goes.
 * @param {Tell} [tell]
 */
export function keepUp(tell = {}) {
  return navigator.locks.request("sidecar-keeper", { ifAvailable: true }, (lock) => lock && keep(tell));
}

/** @param {Tell} tell */
async function keep({ now = () => {}, trouble = () => {}, changed = () => {} }) {
  const files = new KeptFiles(home(), byId("player").dataset.account ?? "");
  trouble("");
  // Refused or unreachable is no empty list: nothing is removed for it.
  const answer = await fetch(`${home()}this-browser/wanted`).catch(() => null);
  if (!answer?.ok || answer.redirected) {
    trouble((await answer?.json().catch(() => null))?.detail ?? said("The sidecar does not answer. Trying again …"));
    return;
  }
  /** @type {{ budget: number, files: WantedFile[] }} */
  const wanted = await answer.json();
  const named = new Set(wanted.files.map((one) => one.item));
  for (const one of await files.list()) {
    if (!named.has(one.item)) await files.remove(one.item);
  }
  try {
    const kept = await files.list();
    const room = wanted.budget - kept.reduce((sum, one) => sum + one.size, 0);
    const missing = wanted.files.filter(({ item }) => !kept.some((one) => one.item === item));
    if (await takeInBackground(files, missing, room, now)) throw new Refused(said("Stopped in the browser. “Find missing files” goes on."));
    await changed();
    // One by one: what the browser does not fetch by itself, and what did not come so, with its reason.
    for (const one of missing) {
      if (await files.has(one.item)) continue;
      now(said("Downloading {title}", { title: one.title }));
      await take(files, one, wanted.budget);
      await changed();
    }
  } catch (error) {
    trouble(error instanceof Refused ? error.message : said("The connection to the sidecar is lost. Trying again …"));
  }
  now("");
  const kept = await files.list();
  const bytes = kept.reduce((sum, one) => sum + one.size, 0);
  await post("this-browser/kept", { files: kept.length, bytes }).catch(() => {});
  await changed();
}

class Refused extends Error {}

/** @param {number} free */
const noSpace = (free) =>
  new Refused(said("This browser has no space left: {free} of what it may keep is free", { free: size(Math.max(0, free)) }));

/**
 * @param {KeptFiles} files
 * @param {WantedFile} one
 * @param {number} budget
 */
async function take(files, one, budget) {
  const source = await (await fetch(`${home()}api/v1/items/${one.item}/source`)).json();
  const answer = await fetch(source.url ?? source.stream_url ?? "");
  if (!answer.ok || answer.redirected) {
    const reason = (await answer.json().catch(() => null))?.detail;
    throw new Refused(`${one.title}: ${reason ?? answer.status}`);
  }
  const length = Number(answer.headers.get("Content-Length") ?? one.size ?? 0);
  const used = (await files.list()).reduce((sum, kept) => sum + kept.size, 0);
  const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  if (used + length > budget) throw new Refused(said("{title} does not fit into the limit", { title: one.title }));
  if (usage + length + SPARE_BYTES > quota) {
    throw noSpace(quota - usage);
  }
  const body = await answer.blob();
  // A file is kept whole or not at all.
  if (!body.size || (answer.headers.has("Content-Length") && body.size !== length)) throw new Error("short");
  await files.put(one, body, answer.headers.get("Content-Type") ?? "").catch((/** @type {unknown} */ error) => {
    // Whatever it had said of its space.
    throw error instanceof DOMException && error.name === "QuotaExceededError" ? noSpace(0) : error;
  });
}
