// The page "On the device": it works without this; with it, it plays, and follows what happens.

import { stayHere } from "../dialogs.js";
import { refreshSoon } from "../list/refresh.js";
import { follow } from "../live/connection.js";
import { playHere } from "../player.js";

stayHere();
playHere(document.getElementById("player"));
follow(document.body.dataset.home, { changed: refreshSoon, progressed: () => {} });
