// The page "On the device": it works without this; with it, it follows what happens.

import { stayHere } from "../dialogs.js";
import { refreshSoon } from "../list/refresh.js";
import { follow } from "../live/connection.js";
import { onPage } from "../navigation.js";

onPage("files", (signal) => {
  stayHere(signal);
  follow(document.body.dataset.home, { changed: refreshSoon, progressed: () => {} }, signal);
});
