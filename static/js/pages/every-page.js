// Every page of a signed-in person: it follows what happens, if its own script does not.

import { follow, isFollowed } from "../live/connection.js";

if (!isFollowed()) follow(document.body.dataset.home, { changed: () => {}, progressed: () => {} });
