// Presses the page's own button every few seconds, until the code was approved or has expired.

import { said } from "../messages.js";

const EVERY_MS = 3000;

const form = document.getElementById("quick-connect");
document.getElementById("waiting").textContent = said("Waiting for the code to be approved …");

async function ask() {
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
    });
    if (answer.redirected) {
      window.location.assign(answer.url);
      return;
    }
    if (!answer.ok) {
      form.submit();
      return;
    }
  } catch {
    // The server is away for a moment: ask again.
  }
  setTimeout(ask, EVERY_MS);
}

setTimeout(ask, EVERY_MS);
