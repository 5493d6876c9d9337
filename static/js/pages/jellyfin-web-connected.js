// Hands the fresh key to the page of Jellyfin that opened this window, to no other origin, and
// closes it.

const { secret, origin } = document.getElementById("handed-over").dataset;

if (window.opener) {
  window.opener.postMessage({ sidecarKey: secret }, origin);
  window.close();
} else {
  document.getElementById("not-opened").hidden = false;
}
