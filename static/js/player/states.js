// Where playing was stopped and which hearts were pressed: the newest of each item, with its own time, until the
// sidecar has it, also for days without a network.

import { csrf, post } from "../page.js";

const PREFIX = "sidecar-states";
const MOST = 100;
const MOST_KEPT = 2000;

export class States {
  #key;

  /**
   * @param {string} account
   * @param {string} home
   */
  constructor(account, home) {
    this.#key = `${PREFIX} ${home} ${account}`;
  }

  /**
   * Its playing was stopped at this second.
   * @param {string} item
   * @param {number} seconds
   */
  stop(item, seconds) {
    this.#note(item, { position: seconds, position_at: Date.now() / 1000 });
  }

  /**
   * @param {string} item
   * @param {boolean} isFavourite
   */
  heart(item, isFavourite) {
    this.#note(item, { is_favourite: isFavourite });
  }

  /**
   * The heart that was pressed here and is not sent yet; undefined if none was.
   * @param {string} item
   */
  heartOf(item) {
    return this.#read()[item]?.is_favourite;
  }

  /** Send what there is; what the sidecar has taken and is still so is forgotten here. */
  send() {
    // One after the other, whatever tabs are open.
    if (!navigator.locks) return this.#send();
    return navigator.locks.request("sidecar-states", () => this.#send());
  }

  /** @returns {Promise<void>} */
  async #send() {
    const some = Object.entries(this.#read()).slice(0, MOST);
    if (!some.length || !csrf()) return;
    const states = some.map(([item, state]) => ({ item_id: item, ...state }));
    const answer = await post("this-browser/states", { states }).catch(() => null);
    if (!answer?.ok) return;
    const now = this.#read();
    for (const [item, state] of some) if (JSON.stringify(now[item]) === JSON.stringify(state)) delete now[item];
    this.#write(now);
    if (Object.keys(now).length) await this.#send();
  }

  /**
   * @param {string} item
   * @param {ItemState} facts
   */
  #note(item, facts) {
    const { [item]: before, ...others } = this.#read();
    const all = Object.entries({ ...others, [item]: { ...before, ...facts } });
    this.#write(Object.fromEntries(all.slice(-MOST_KEPT)));
  }

  /** @returns {Record<string, ItemState>} */
  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? "{}");
    } catch {
      return {};
    }
  }

  /** @param {Record<string, ItemState>} all */
  #write(all) {
    if (Object.keys(all).length) localStorage.setItem(this.#key, JSON.stringify(all));
    else localStorage.removeItem(this.#key);
  }
}
