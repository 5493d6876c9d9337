// The bar that plays: it stays while pages come and go, and remembers in this browser where it was.

import { Place } from "./place.js";
import { Journal } from "./journal.js";
import * as queues from "./queue.js";
import { States } from "./states.js";
import { currentFiles } from "../kept/store.js";
import { said } from "../messages.js";
import { stayInPlace } from "../navigation.js";
import { clock } from "../numbers.js";
import { addStyle, byId, home, within } from "../page.js";

const SAVE_EVERY_MS = 5000;
// Whoever loads a page anew hears on from where it was; whoever comes back later presses *Play*.
const AGAIN_MS = 15_000;
const BACK_S = 10;
const ON_S = 30;
// What is as long as this is heard on from where it was; not because somebody looked in for a moment.
const LONG_S = 20 * 60;
const FEWEST_S = 10;

/** Make the bar, with its style; one for a tab. */
export async function openBar() {
  const bar = byId("player");
  await addStyle(bar.dataset.style ?? "", true);
  return new Bar(bar);
}

export class Bar {
  #bar;
  #audio;
  #video;
  #place;
  /** @type {Queue | null} */
  #queue = null;
  #savedAt = 0;
  #turn = 0;
  #stoppedAt = 0;
  #journal;
  #states;
  #others = new BroadcastChannel("sidecar-player");

  /** @param {HTMLElement} bar */
  constructor(bar) {
    const { account = "" } = bar.dataset;
    this.#bar = bar;
    this.#audio = this.#part("audio", HTMLAudioElement);
    this.#video = this.#part("video", HTMLVideoElement);
    this.#place = new Place(account, home());
    this.#journal = new Journal(account, home());
    this.#states = new States(account, home());
    this.#listen();
    this.#listenToKeys();
    stayInPlace({ isNeeded: () => this.#queue !== null, complain: (sentence) => this.#say("trouble", sentence) });
  }

  /**
   * @template {HTMLElement} [T=HTMLElement]
   * @param {string} name
   * @param {new () => T} [kind]
   */
  #part(name, kind) {
    return within(this.#bar, `[data-part="${name}"]`, kind);
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  #say(name, text) {
    const place = this.#part(name);
    if (place.textContent !== text) place.textContent = text;
  }

  get #players() {
    return [this.#audio, this.#video];
  }

  /** What plays or would; null if the bar is closed. */
  get #playing() {
    return this.#queue && this.#playerOf(queues.current(this.#queue));
  }

  /** @param {Entry} entry */
  #playerOf(entry) {
    return entry.media === "video" ? this.#video : this.#audio;
  }

  /**
   * Play what a link stands for, and what follows it on its page.
   * @param {HTMLAnchorElement} link
   */
  playFrom(link) {
    const rows = [...playable()];
    // One in a menu stands for that of its row, with what follows there.
    if (link.closest("dialog")) link = rows.find((one) => one.dataset.plays === link.dataset.plays) ?? link;
    const links = link.closest("dialog") ? [link] : rows;
    /** @type {Map<string | undefined, HTMLAnchorElement>} */
    const first = new Map();
    for (const one of links.toReversed()) first.set(one.dataset.plays, one);
    if (link.dataset.plays) first.set(link.dataset.plays, link);
    // What is on two devices is heard once.
    const some = links.filter((one) => first.get(one.dataset.plays) === one);
    if (!some.length) return;
    const isShuffled = "shuffle" in link.dataset || (Boolean(link.dataset.plays) && Boolean(this.#queue?.isShuffled));
    const at = link.dataset.plays ? some.indexOf(link) : isShuffled ? Math.floor(Math.random() * some.length) : 0;
    this.playThese(some.map(entryOf), at, { isShuffled, seconds: Number(link.dataset.from ?? 0) });
  }

  /**
   * @param {Entry[]} entries
   * @param {number} at
   * @param {{ isShuffled?: boolean, seconds?: number }} [how]
   */
  playThese(entries, at, { isShuffled = false, seconds = 0 } = {}) {
    this.#queue = queues.begin(entries, at, { isShuffled });
    this.#play(seconds);
  }

  /**
   * Play what a link stands for next, or after all else; at once if nothing is there.
   * @param {HTMLAnchorElement} link
   */
  queueFrom(link) {
    const entry = entryOf(link);
    if (!this.#queue) return this.playThese([entry], 0);
    const isNext = link.dataset.queues === "next";
    this.#change(queues.added(this.#queue, entry, isNext));
    const { title } = entry;
    const sentence = isNext ? said("{title} is played next.", { title }) : said("{title} is in the queue.", { title });
    this.#say("queued-now", sentence);
  }

  /** Show where it was the last time; after a load of the page it goes on. */
  restore() {
    const recalled = this.#place.recall(AGAIN_MS);
    if (!recalled) return;
    const { queue, seconds, isFresh } = recalled;
    this.#queue = queue;
    if (isFresh) this.#play(seconds);
    else this.#show(queue, seconds, false);
  }

  async #play(seconds = 0) {
    if (!this.#queue) return;
    const entry = queues.current(this.#queue);
    const turn = (this.#turn += 1);
    this.#show(this.#queue, seconds, true);
    const player = this.#playerOf(entry);
    const address = await this.#addressOf(entry);
    if (turn !== this.#turn) return;
    this.#journal.begin(entry.item);
    player.src = address;
    if (seconds) player.addEventListener("loadedmetadata", () => (player.currentTime = seconds), { once: true });
    this.#others.postMessage("plays");
    // `complain` hears of it; a browser that wants a click first leaves it paused.
    player.play().catch(() => {});
  }

  /**
   * @param {Entry} entry
   * @returns {Promise<string>}
   */
  async #addressOf(entry) {
    // What is kept in this browser plays without a network; the service worker gives it.
    const kept = navigator.serviceWorker?.controller && (await currentFiles(home()));
    if (kept && (await kept.has(entry.item))) return kept.address(entry.item);
    if (entry.file) return entry.file;
    try {
      const answer = await fetch(`${home()}api/v1/items/${entry.item}/source`);
      const found = await answer.json();
      return found.url ?? found.stream_url ?? entry.href;
    } catch {
      return entry.href;
    }
  }

  /**
   * Show what is to be played; nothing is loaded yet: looking at a page asks for no file.
   * @param {Queue} queue
   * @param {number} seconds
   * @param {boolean} isPlaying
   */
  #show(queue, seconds, isPlaying) {
    const entry = queues.current(queue);
    this.#bar.hidden = false;
    this.#stoppedAt = seconds;
    this.#say("trouble", "");
    this.#say("queued-now", "");
    for (const player of this.#players) empty(player);
    this.#playerOf(entry).hidden = !isPlaying;
    this.#part("resume").hidden = isPlaying;
    this.#say("title", entry.title);
    this.#say("by", [entry.artist, entry.album].filter(Boolean).join(" · "));
    this.#say("stopped", seconds && !isPlaying ? said("stopped at {time}", { time: clock(seconds) }) : "");
    this.#showCover(entry);
    this.#showQueue(queue);
    this.#tellKeys(entry);
    this.#save(seconds);
  }

  /** @param {Entry} entry */
  #showCover({ cover }) {
    const picture = this.#part("cover", HTMLImageElement);
    picture.hidden = !cover;
    if (cover) picture.src = cover;
    else picture.removeAttribute("src");
  }

  /** @param {Queue} queue */
  #showQueue(queue) {
    const { at, order, isShuffled } = queue;
    this.#say("place", said("{number} of {total}", { number: at + 1, total: order.length }));
    this.#part("before", HTMLButtonElement).disabled = queues.isFirst(queue);
    this.#part("after", HTMLButtonElement).disabled = queues.isLast(queue);
    this.#part("shuffle").ariaPressed = String(isShuffled);
    const list = this.#part("queue");
    const focused = [...list.querySelectorAll("button")].findIndex((one) => one === document.activeElement);
    list.replaceChildren(...queues.inOrder(queue).map((entry, place) => this.#line(entry, place, place === at)));
    const buttons = [...list.querySelectorAll("button")];
    if (focused >= 0) (buttons[Math.min(focused, buttons.length - 1)] ?? this.#part("queued")).focus();
  }

  /**
   * @param {Entry} entry
   * @param {number} place
   * @param {boolean} isNow
   */
  #line(entry, place, isNow) {
    const line = document.importNode(this.#part("line", HTMLTemplateElement).content, true);
    const [play, remove] = line.querySelectorAll("button");
    const more = within(line, "a", HTMLAnchorElement);
    more.href = `${home()}library/${entry.item}/menu`;
    within(more, ".hidden-label").append(` ${entry.title}`);
    within(play, "span").textContent = entry.title;
    within(play, "small").textContent = entry.artist ?? "";
    if (isNow) play.ariaCurrent = "true";
    play.addEventListener("click", () => this.#go({ to: place }));
    within(remove, ".hidden-label").append(` ${entry.title}`);
    remove.hidden = isNow;
    remove.addEventListener("click", () => this.#queue && this.#change(queues.without(this.#queue, place)));
    return line;
  }

  /** @param {Queue} queue */
  #change(queue) {
    this.#queue = queue;
    this.#showQueue(queue);
    this.#save();
  }

  async #tellHeard() {
    this.#noteStop();
    this.#journal.end();
    // First the plays: where the newest of them was stopped is newer than its beginning.
    await this.#journal.send();
    await this.#states.send();
  }

  #noteStop() {
    const player = this.#playing;
    if (!this.#queue || !player?.hasAttribute("src")) return;
    const isLong = player.duration >= LONG_S || player === this.#video;
    if (!isLong || this.#journal.heard < FEWEST_S) return;
    this.#states.stop(queues.current(this.#queue).item, player.currentTime);
  }

  /**
   * Go on by so many places, or go to a place of the order.
   * @param {{ by?: number, to?: number }} where
   */
  #go({ by = 0, to }) {
    if (!this.#queue) return;
    const at = to ?? this.#queue.at + by;
    this.#tellHeard();
    this.#queue = queues.moved(this.#queue, at);
    this.#play();
  }

  #close() {
    this.#turn += 1;
    this.#tellHeard();
    for (const player of this.#players) empty(player);
    this.#queue = null;
    this.#bar.hidden = true;
    this.#place.forget();
    if (navigator.mediaSession) navigator.mediaSession.metadata = null;
    byId("main").focus({ preventScroll: true });
  }

  #save(seconds = this.#playing?.hasAttribute("src") ? this.#playing.currentTime : this.#stoppedAt) {
    if (!this.#queue) return;
    this.#savedAt = Date.now();
    this.#place.remember(this.#queue, seconds, this.#playing?.paused === false);
  }

  #listen() {
    this.#part("before").addEventListener("click", () => this.#go({ by: -1 }));
    this.#part("after").addEventListener("click", () => this.#go({ by: 1 }));
    this.#part("close").addEventListener("click", () => this.#close());
    this.#part("shuffle").addEventListener("click", () => {
      if (this.#queue) this.#change(queues.shuffled(this.#queue, !this.#queue.isShuffled));
    });
    this.#part("resume").addEventListener("click", () => this.#resume());
    for (const player of this.#players) {
      player.addEventListener("ended", () => {
        this.#tellHeard();
        if (this.#queue && !queues.isLast(this.#queue)) this.#go({ by: 1 });
      });
      player.addEventListener("error", () => this.#complain(player));
      player.addEventListener("timeupdate", () => {
        if (player.hasAttribute("src") && Date.now() - this.#savedAt > SAVE_EVERY_MS) this.#save();
        this.#tellPosition(player);
        if (!player.paused) this.#journal.hear(player.currentTime);
      });
      player.addEventListener("pause", () => {
        if (!player.hasAttribute("src")) return;
        this.#save();
        this.#noteStop();
        if (!player.ended) this.#states.send();
      });
    }
    window.addEventListener("pagehide", () => {
      this.#noteStop();
      this.#journal.end();
      if (this.#savedAt && this.#playing?.hasAttribute("src")) this.#save();
    });
    // One player at a time, whatever tabs are open.
    this.#others.addEventListener("message", () => this.#playing?.pause());
  }

  #resume() {
    if (this.#playing?.hasAttribute("src")) this.#playing.play().catch(() => {});
    else if (this.#queue) this.#play(this.#stoppedAt);
  }

  #listenToKeys() {
    const session = navigator.mediaSession;
    if (!session) return;
    /** @param {number} seconds */
    const skip = (seconds) => {
      if (this.#playing) this.#playing.currentTime = Math.max(0, this.#playing.currentTime + seconds);
    };
    /** @type {Partial<Record<MediaSessionAction, MediaSessionActionHandler>>} */
    const acts = {
      play: () => this.#resume(),
      pause: () => this.#playing?.pause(),
      stop: () => this.#playing?.pause(),
      previoustrack: () => this.#go({ by: -1 }),
      nexttrack: () => this.#queue && !queues.isLast(this.#queue) && this.#go({ by: 1 }),
      seekbackward: ({ seekOffset }) => skip(-(seekOffset || BACK_S)),
      seekforward: ({ seekOffset }) => skip(seekOffset || ON_S),
      seekto: ({ seekTime }) => {
        if (this.#playing && seekTime !== undefined) this.#playing.currentTime = seekTime;
      },
    };
    for (const [name, act] of Object.entries(acts)) {
      try {
        session.setActionHandler(/** @type {MediaSessionAction} */ (name), act);
      } catch {
        // Not every browser has every key.
      }
    }
  }

  /** @param {Entry} entry */
  #tellKeys({ title, artist, album, cover }) {
    if (!navigator.mediaSession) return;
    const artwork = cover ? [{ src: new URL(cover, window.location.href).href }] : [];
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist: artist ?? "", album: album ?? "", artwork });
  }

  /** @param {HTMLMediaElement} player */
  #tellPosition({ duration, currentTime, playbackRate }) {
    if (!Number.isFinite(duration) || currentTime > duration) return;
    navigator.mediaSession?.setPositionState?.({ duration, position: currentTime, playbackRate });
  }

  /** @param {HTMLMediaElement} player */
  async #complain(player) {
    if (!player.hasAttribute("src")) return;
    const answer = await fetch(player.src, { headers: { Range: "bytes=0-0" } }).catch(() => null);
    const reason = answer?.ok ? said("This browser cannot play this kind of file.") : (await answer?.json())?.detail;
    this.#say("trouble", reason ?? said("The sidecar does not answer. Trying again …"));
  }
}

/** @returns {NodeListOf<HTMLAnchorElement>} */
const playable = () => document.querySelectorAll("a[data-plays]:not(dialog *)");

/**
 * @param {HTMLAnchorElement} link
 * @returns {Entry}
 */
function entryOf({ dataset, href }) {
  const { item: queued = "", plays: item = queued, title = "", artist, album, cover } = dataset;
  // A file of its own is played as it is; where else the item is, the sidecar knows.
  const file = /\/media\/\d+$/.test(href) ? { file: href } : {};
  return { item, media: dataset.media === "video" ? "video" : "audio", title, artist, album, cover, href, ...file };
}

/** @param {HTMLMediaElement} player */
function empty(player) {
  player.hidden = true;
  if (!player.hasAttribute("src")) return;
  player.removeAttribute("src");
  player.load();
}
