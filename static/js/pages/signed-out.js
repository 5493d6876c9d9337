// The sign-in page: what this browser remembers of who was signed in before goes.

import { endCurrent } from "../kept/store.js";
import { forgetOthers } from "../player/place.js";

const { home } = document.body.dataset;
forgetOthers(home);
endCurrent(home);
