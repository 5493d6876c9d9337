// Every page of a signed-in person: it follows what happens, if its own script does not.

import { openAlertsByBell } from "../alerts.js";
import { listen } from "../keyboard.js";
import { follow, isFollowed } from "../live/connection.js";

openAlertsByBell();
if (document.body.dataset.keys !== "off") listen();
if (!isFollowed()) follow(document.body.dataset.home, { changed: () => {}, progressed: () => {} });
