// The home page: it works without this; with it, it follows what happens.

import { keepPlace, refreshSoon } from "../list/refresh.js";
import { follow } from "../live/connection.js";
import { showTransfers } from "../live/transfers.js";
import { onPage } from "../navigation.js";
import { home } from "../page.js";

onPage("home", (signal) => {
  keepPlace(signal);
  follow(home(), { changed: refreshSoon, progressed: showTransfers }, signal);
});
