// The sign-in page: what this browser remembers of who was signed in before goes.

import { forgetOthers } from "../player/place.js";

forgetOthers(document.body.dataset.home);
