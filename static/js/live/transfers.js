// Shows where the transfers stand, in place: text and bars change, nothing is built or moved.

import { said } from "../messages.js";
import * as words from "../numbers.js";

export function showTransfers(message) {
  for (const transfer of message.transfers) showTransfer(transfer);
  showTotal(message);
}

function showTotal({ transfers, speed }) {
  showBar(transfers);
  const total = document.querySelector('[data-part="total-speed"]');
  if (!total) return;
  total.textContent = words.speed(speed);
  const running = transfers.reduce((sum, one) => sum + (one.expected_size ?? 0) - one.bytes_downloaded, 0);
  const left = Math.max(running, 0) + Number(total.dataset.waiting);
  say(total.parentElement, "total-left", speed ? said("{time} left", { time: words.seconds(left / speed) }) : "");
}

/** The one bar of the home page: of what runs, as far as its size is known. */
function showBar(transfers) {
  const bar = document.querySelector('[data-part="total-bar"]');
  const known = transfers.filter((one) => one.expected_size);
  const size = known.reduce((sum, one) => sum + one.expected_size, 0);
  if (!bar || !size) return;
  bar.value = known.reduce((sum, one) => sum + one.bytes_downloaded, 0) / size;
}

function showTransfer(transfer) {
  const row = document.getElementById(`download-${transfer.id}`);
  if (!row || row.dataset.status !== "downloading") return;
  if (transfer.expected_size) row.querySelector("progress").value = transfer.progress;
  const done = words.size(transfer.bytes_downloaded);
  const size = transfer.expected_size && words.size(transfer.expected_size);
  say(row, "size", size ? said("{done} of {size}", { done, size }) : done);
  say(row, "speed", words.speed(transfer.speed));
  const left = transfer.seconds_left;
  say(row, "left", left === null ? "" : said("{time} left", { time: words.seconds(left) }));
}

function say(row, part, text) {
  const place = row.querySelector(`[data-part="${part}"]`);
  if (place && place.textContent !== text) place.textContent = text;
}
