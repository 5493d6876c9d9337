// The downloads page: it works without this; with it, it follows what happens.

import { stayHere } from "./asking.js";
import { keepSelection } from "./choosing.js";
import { refreshSoon } from "./list.js";
import { follow } from "./live.js";
import { letRowsMove } from "./moving.js";
import { showTransfers } from "./progress.js";

keepSelection();
letRowsMove();
stayHere();
follow(document.body.dataset.home, { changed: refreshSoon, progressed: showTransfers });
