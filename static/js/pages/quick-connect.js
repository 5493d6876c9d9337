// Presses the page's own button every few seconds, until the code was approved or has expired.

import { said } from "../messages.js";
import { byId, fieldsOf } from "../page.js";

const EVERY_MS = 3000;

const form = byId("quick-connect", HTMLFormElement);
byId("waiting").textContent = said("Waiting for the code to be approved …");

async function ask() {
  try {
    const answer = await fetch(form.action, { method: "POST", body: fieldsOf(form) });
    if (answer.redirected) return window.location.assign(answer.url);
    if (!answer.ok) return form.submit();
  } catch {
    // The server is away for a moment: ask again.
  }
  setTimeout(ask, EVERY_MS);
}

setTimeout(ask, EVERY_MS);
