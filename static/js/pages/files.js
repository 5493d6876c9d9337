// The page "On the device": it works without this; with it, it follows what happens.

import { stayHere } from "../dialogs.js";
import { keepPlace, refreshSoon } from "../list/refresh.js";
import { follow } from "../live/connection.js";
import { onPage } from "../navigation.js";
import { home } from "../page.js";

onPage("files", (signal) => {
  keepPlace(signal);
  stayHere(signal);
  follow(home(), { changed: refreshSoon, progressed: () => {} }, signal);
});
