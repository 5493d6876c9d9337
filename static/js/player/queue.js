// What is played, and in which order. Pure.

const MOST = 500;

/**
 * Begin a queue of entries with one of them; a shuffled one begins with it as well.
 * @param {Entry[]} entries
 * @param {number} at
 * @param {{ isShuffled?: boolean, chance?: () => number }} [how]
 * @returns {Queue}
 */
export function begin(entries, at, { isShuffled = false, chance = Math.random } = {}) {
  // The ones that follow matter more than those before.
  const from = Math.max(0, Math.min(at, entries.length - MOST));
  const some = entries.slice(from, from + MOST);
  const queue = { entries: some, order: some.map((_, place) => place), at: at - from, isShuffled: false };
  return isShuffled ? shuffled(queue, true, chance) : queue;
}

/** @param {Queue} queue */
export const current = (queue) => queue.entries[queue.order[queue.at]];
/** @param {Queue} queue */
export const isFirst = (queue) => queue.at === 0;
/** @param {Queue} queue */
export const isLast = (queue) => queue.at >= queue.order.length - 1;
/** @param {Queue} queue */
export const inOrder = (queue) => queue.order.map((place) => queue.entries[place]);

/**
 * Go to a place of the order, or stay within it.
 * @param {Queue} queue
 * @param {number} at
 * @returns {Queue}
 */
export const moved = (queue, at) => ({ ...queue, at: Math.min(Math.max(at, 0), queue.order.length - 1) });

/**
 * Shuffle, or go back to the order that it had; what plays goes on.
 * @param {Queue} queue
 * @param {boolean} isShuffled
 * @returns {Queue}
 */
export function shuffled(queue, isShuffled, chance = Math.random) {
  const playing = queue.order[queue.at];
  if (!isShuffled) {
    const order = queue.order.toSorted((one, two) => one - two);
    return { ...queue, isShuffled, order, at: order.indexOf(playing) };
  }
  const others = queue.order.filter((place) => place !== playing);
  for (let last = others.length - 1; last > 0; last -= 1) {
    const other = Math.floor(chance() * (last + 1));
    [others[last], others[other]] = [others[other], others[last]];
  }
  return { ...queue, isShuffled, order: [playing, ...others], at: 0 };
}

/**
 * Put one in, to be played next or last; a full queue stays as it is.
 * @param {Queue} queue
 * @param {Entry} entry
 * @param {boolean} isNext
 * @returns {Queue}
 */
export function added(queue, entry, isNext) {
  const place = queue.entries.length;
  if (place >= MOST) return queue;
  const at = isNext ? queue.at + 1 : queue.order.length;
  return { ...queue, entries: [...queue.entries, entry], order: queue.order.toSpliced(at, 0, place) };
}

/**
 * Take one out; what plays stays.
 * @param {Queue} queue
 * @param {number} at
 * @returns {Queue}
 */
export function without(queue, at) {
  if (at === queue.at) return queue;
  const order = queue.order.toSpliced(at, 1);
  return { ...queue, order, at: at < queue.at ? queue.at - 1 : queue.at };
}

/**
 * Read a queue that was remembered; null if it is none.
 * @param {string} text
 * @returns {Queue | null}
 */
export function read(text) {
  try {
    /** @type {Queue} */
    const { entries, order, at, isShuffled } = JSON.parse(text);
    const isSound =
      entries.length > 0 &&
      order.every((place) => Number.isInteger(place) && entries[place]) &&
      Number.isInteger(at) &&
      order[at] !== undefined &&
      entries.every((one) => typeof one.item === "string" && typeof one.title === "string");
    return isSound ? { entries, order, at, isShuffled: Boolean(isShuffled) } : null;
  } catch {
    return null;
  }
}
