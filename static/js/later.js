// What few pages need, and the player: one file, which comes when it is first needed.

export { startKeeping } from "./pages/this-browser.js";
export { startNotifications } from "./pages/notifications.js";
export { startReplay } from "./pages/replay.js";
export { keepUp } from "./kept/keeper.js";
export { KeptFiles } from "./kept/store.js";
export { openBar } from "./player/bar.js";
export { States } from "./player/states.js";
