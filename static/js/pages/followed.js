// Pages that work without this; with it, they follow what happens.

import { stayHere } from "../dialogs.js";
import { followAtTop, followNews, keepPlace } from "../list/refresh.js";
import { letRowsMove } from "../list/queue-order.js";
import { letRowsOpen } from "../list/row-details.js";
import { keepSelection } from "../list/selection.js";
import { follow } from "../live/connection.js";
import { showTransfers } from "../live/transfers.js";
import { onPage } from "../navigation.js";
import { home } from "../page.js";

/** @type {Record<string, Start[]>} */
const PAGES = {
  activity: [keepPlace, (signal) => followAtTop("happened", signal)],
  devices: [keepPlace],
  downloads: [keepSelection, keepPlace, letRowsMove, letRowsOpen, stayHere],
  files: [keepPlace, stayHere],
  home: [keepPlace],
};

for (const [name, starts] of Object.entries(PAGES)) {
  onPage(name, (signal) => {
    for (const start of starts) start(signal);
    follow(home(), { changed: followNews, progressed: showTransfers }, signal);
  });
}
