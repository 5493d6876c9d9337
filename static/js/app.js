// All scripts of a signed-in person's pages: one file. The page says in `data-page` which of them it needs.

import "htmx.org";
import "./list/swap-errors.js";
import "./pages/downloads.js";
import "./pages/files.js";
import "./pages/home.js";
import "./pages/library.js";
import "./pages/notifications.js";
import "./pages/replay.js";
import "./pages/this-browser.js";
import "./pages/every-page.js";
