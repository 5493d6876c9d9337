// Every page of a signed-in person: it follows what happens, if its own script does not.

import { listen } from "../keyboard.js";
import { follow, isFollowed } from "../live/connection.js";

if (document.body.dataset.keys !== "off") listen();
if (!isFollowed()) follow(document.body.dataset.home, { changed: () => {}, progressed: () => {} });
