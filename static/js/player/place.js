// Where the player was: kept in this browser, apart for each account, and gone with its session.

import { read } from "./queue.js";

const PREFIX = "sidecar-player";
const WAS_PLAYING = "sidecar-player-was-playing";

export class Place {
  #key;

  /**
   * @param {string} account
   * @param {string} home
   */
  constructor(account, home) {
    this.#key = `${PREFIX} ${home} ${account}`;
    forgetOthers(home, this.#key);
  }

  /**
   * @param {Queue} queue
   * @param {number} seconds
   * @param {boolean} isPlaying
   */
  remember(queue, seconds, isPlaying) {
    try {
      localStorage.setItem(this.#key, JSON.stringify({ ...queue, seconds }));
      // Of this tab: another one does not begin to play because this one does.
      if (isPlaying) sessionStorage.setItem(WAS_PLAYING, String(Date.now()));
      else sessionStorage.removeItem(WAS_PLAYING);
    } catch {
      // Without storage it forgets.
    }
  }

  /**
   * @param {number} freshMs
   * @returns {{ queue: Queue, seconds: number, isFresh: boolean } | null}
   */
  recall(freshMs) {
    const text = localStorage.getItem(this.#key);
    const queue = text ? read(text) : null;
    if (!text || !queue) return null;
    const { seconds } = JSON.parse(text);
    const isFresh = Date.now() - Number(sessionStorage.getItem(WAS_PLAYING) ?? 0) < freshMs;
    return { queue, seconds: Number.isFinite(seconds) ? seconds : 0, isFresh };
  }

  forget() {
    localStorage.removeItem(this.#key);
    sessionStorage.removeItem(WAS_PLAYING);
  }
}

/**
 * Whether something is remembered for an account.
 * @param {string} account
 * @param {string} home
 */
export const isRemembered = (account, home) => localStorage.getItem(`${PREFIX} ${home} ${account}`) !== null;

/**
 * Forget what others heard in this browser, on the same sidecar; without `own` everybody's.
 * @param {string} home
 * @param {string} [own]
 */
export function forgetOthers(home, own = "") {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(`${PREFIX} ${home} `) && key !== own) localStorage.removeItem(key);
  }
}
