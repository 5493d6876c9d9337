// The page "On the device": it works without this; with it, it plays, and follows what happens.

import { stayHere } from "./asking.js";
import { refreshSoon } from "./list.js";
import { follow } from "./live.js";
import { playHere } from "./playing.js";

stayHere();
playHere(document.getElementById("player"));
follow(document.body.dataset.home, { changed: refreshSoon, progressed: () => {} });
