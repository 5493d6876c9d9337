// Hands the fresh key to the page of Jellyfin that opened this window, to no other origin, and
// closes it.

import { byId } from "../page.js";

const { secret, origin } = byId("handed-over").dataset;

if (window.opener && origin) {
  window.opener.postMessage({ sidecarKey: secret }, origin);
  window.close();
} else {
  byId("not-opened").hidden = false;
}
