// The sign-in page: what this browser remembers of who was signed in before goes.

import { endBackground } from "../kept/background.js";
import { endCurrent } from "../kept/store.js";
import { home } from "../page.js";
import { forgetOthers } from "../player/place.js";
import { noteSignedOut } from "../typed.js";

noteSignedOut();
forgetOthers(home());
const ended = await endCurrent(home());
if (ended) await endBackground(ended);
