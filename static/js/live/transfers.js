// Shows where the transfers stand, in place: text and bars change, nothing is built or moved.

import { said } from "../messages.js";
import { within } from "../page.js";
import * as words from "../numbers.js";

/** @param {Progress} message */
export function showTransfers(message) {
  for (const transfer of message.transfers) showTransfer(transfer);
  showTotal(message);
}

/** @param {Progress} message */
function showTotal({ transfers, speed }) {
  showBar(transfers);
  /** @type {HTMLElement | null} */
  const total = document.querySelector('[data-part="total-speed"]');
  if (!total) return;
  total.textContent = words.speed(speed);
  const running = transfers.reduce((sum, one) => sum + (one.expected_size ?? 0) - one.bytes_downloaded, 0);
  const left = Math.max(running, 0) + Number(total.dataset.waiting);
  say(total.parentElement ?? total, "total-left", speed ? said("{time} left", { time: words.seconds(left / speed) }) : "");
}

/**
 * The one bar of the home page: of what runs, as far as its size is known.
 * @param {Transfer[]} transfers
 */
function showBar(transfers) {
  /** @type {HTMLProgressElement | null} */
  const bar = document.querySelector('[data-part="total-bar"]');
  const known = transfers.filter((one) => one.expected_size);
  const size = known.reduce((sum, one) => sum + (one.expected_size ?? 0), 0);
  if (!bar || !size) return;
  bar.value = known.reduce((sum, one) => sum + one.bytes_downloaded, 0) / size;
}

/** @param {Transfer} transfer */
function showTransfer(transfer) {
  const row = document.getElementById(`download-${transfer.id}`);
  if (!row || row.dataset.status !== "downloading") return;
  if (transfer.expected_size) within(row, "progress", HTMLProgressElement).value = transfer.progress;
  const done = words.size(transfer.bytes_downloaded);
  const size = transfer.expected_size && words.size(transfer.expected_size);
  say(row, "size", size ? said("{done} of {size}", { done, size }) : done);
  say(row, "speed", words.speed(transfer.speed));
  const left = transfer.seconds_left;
  say(row, "left", left === null ? "" : said("{time} left", { time: words.seconds(left) }));
}

/**
 * @param {Element} row
 * @param {string} part
 * @param {string} text
 */
function say(row, part, text) {
  const place = row.querySelector(`[data-part="${part}"]`);
  if (place && place.textContent !== text) place.textContent = text;
}
