// The downloads page: it works without this; with it, it follows what happens.

import { follow } from "./live.js";

follow(document.body.dataset.home);
