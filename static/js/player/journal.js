// What was heard here: kept until the sidecar has it, also for days without a network; then sent with its own times.

import { csrf, post } from "../page.js";

const PREFIX = "sidecar-heard";
const MOST = 100;
const MOST_KEPT = 2000;
// A longer step is a jump.
const LONGEST_STEP_S = 3;

/** @typedef {{ item_id: string, started_at: number, seconds_heard: number }} Heard */

export class Journal {
  #key;
  /** @type {(Heard & { at: number | null }) | null} */
  #now = null;

  /**
   * @param {string} account
   * @param {string} home
   */
  constructor(account, home) {
    this.#key = `${PREFIX} ${home} ${account}`;
  }

  /** How many seconds of what plays were heard. */
  get heard() {
    return this.#now?.seconds_heard ?? 0;
  }

  /**
   * Another one begins to play.
   * @param {string} item
   */
  begin(item) {
    this.end();
    this.#now = { item_id: item, started_at: Date.now() / 1000, seconds_heard: 0, at: null };
  }

  /**
   * It is at this second now: only what was really heard counts.
   * @param {number} seconds
   */
  hear(seconds) {
    if (!this.#now) return;
    const { at } = this.#now;
    if (at !== null && seconds > at && seconds - at < LONGEST_STEP_S) this.#now.seconds_heard += seconds - at;
    this.#now.at = seconds;
  }

  end() {
    if (!this.#now) return;
    const { at: _, ...heard } = this.#now;
    this.#now = null;
    if (!heard.seconds_heard) return;
    this.#write([...this.#read(), heard].slice(-MOST_KEPT));
  }

  /** Send what was heard; what the sidecar has taken is forgotten here. */
  send() {
    // One after the other, whatever tabs are open: two would send the same.
    if (!navigator.locks) return this.#send();
    return navigator.locks.request("sidecar-heard", () => this.#send());
  }

  /** @returns {Promise<void>} */
  async #send() {
    const some = this.#read().slice(0, MOST);
    if (!some.length || !csrf()) return;
    const answer = await post("this-browser/plays", { plays: some }).catch(() => null);
    if (!answer?.ok) return;
    const sent = new Set(some.map((one) => one.started_at));
    this.#write(this.#read().filter((one) => !sent.has(one.started_at)));
    if (this.#read().length) await this.#send();
  }

  /** @returns {Heard[]} */
  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? "[]");
    } catch {
      return [];
    }
  }

  /** @param {Heard[]} all */
  #write(all) {
    if (all.length) localStorage.setItem(this.#key, JSON.stringify(all));
    else localStorage.removeItem(this.#key);
  }
}

/**
 * Whether an account has something to send.
 * @param {string} account
 * @param {string} home
 */
export const hasHeard = (account, home) => localStorage.getItem(`${PREFIX} ${home} ${account}`) !== null;
