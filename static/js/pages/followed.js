// Pages that work without this; with it, they follow what happens.

import { stayHere } from "../dialogs.js";
import { followAtTop, followNews } from "../list/refresh.js";
import { letRowsMove } from "../list/queue-order.js";
import { letRowsOpen } from "../list/row-details.js";
import { keepSelection } from "../list/selection.js";
import { follow } from "../live/connection.js";
import { showTransfers } from "../live/transfers.js";
import { onPage } from "../navigation.js";
import { home } from "../page.js";

/** @type {Record<string, Start[]>} */
const PAGES = {
  activity: [(signal) => followAtTop("happened", signal)],
  devices: [],
  downloads: [keepSelection, letRowsMove, letRowsOpen, stayHere],
  files: [stayHere],
  home: [],
};

for (const [name, starts] of Object.entries(PAGES)) {
  onPage(name, (signal) => {
    for (const start of starts) start(signal);
    follow(home(), { changed: followNews, progressed: showTransfers }, signal);
  });
}
