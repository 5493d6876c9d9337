// All scripts of a signed-in person's pages that are needed at once: one file. The page says in `data-page` which of
// them it needs.

import "htmx.org";
import "./list/swap-errors.js";
import "./pages/followed.js";
import "./pages/library.js";
import "./pages/every-page.js";

// For `later.js`, which shares them.
export * from "./messages.js";
export * from "./navigation.js";
export * from "./numbers.js";
export * from "./page.js";
export * from "./player/journal.js";
export * from "./player/place.js";
export * from "./player/queue.js";
