// Pages that work without this, *On devices*, *Devices* and the home page: with it, they follow what happens.

import { stayHere } from "../dialogs.js";
import { keepPlace, refreshSoon } from "../list/refresh.js";
import { follow } from "../live/connection.js";
import { showTransfers } from "../live/transfers.js";
import { onPage } from "../navigation.js";
import { home } from "../page.js";

for (const name of ["files", "home", "devices"]) {
  onPage(name, (signal) => {
    keepPlace(signal);
    if (name === "files") stayHere(signal);
    follow(home(), { changed: refreshSoon, progressed: showTransfers }, signal);
  });
}
