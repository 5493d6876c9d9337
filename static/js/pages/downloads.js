// The downloads page: it works without this; with it, it follows what happens.

import { stayHere } from "../dialogs.js";
import { keepSelection } from "../list/selection.js";
import { keepPlace, refreshSoon } from "../list/refresh.js";
import { follow } from "../live/connection.js";
import { letRowsMove } from "../list/queue-order.js";
import { letRowsOpen } from "../list/row-details.js";
import { showTransfers } from "../live/transfers.js";
import { onPage } from "../navigation.js";
import { home } from "../page.js";

onPage("downloads", (signal) => {
  keepSelection(signal);
  keepPlace(signal);
  letRowsMove(signal);
  letRowsOpen(signal);
  stayHere(signal);
  follow(home(), { changed: refreshSoon, progressed: showTransfers }, signal);
});
