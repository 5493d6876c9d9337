// Sends a history in parts before the form itself is sent: it may be too large for a form.

import { csrf, within } from "../page.js";

const PART = 48 * 1024;
const LARGEST = 16 * 1024 * 1024;

/** @param {AbortSignal} signal */
export function startReplay(signal) {
  document.addEventListener("submit", send, { signal, capture: true });

  /** @param {SubmitEvent} event */
  function send(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.id !== "ask") return;
    const field = within(form, "#history", HTMLInputElement);
    const file = field.files?.[0];
    // Without a script a small file comes with the form itself.
    form.enctype = "application/x-www-form-urlencoded";
    if (!file) return;
    event.preventDefault();
    event.stopPropagation();
    if (form.dataset.busy) return;
    const { largest = "", sending = "", upload: address = "" } = form.dataset;
    const status = within(form, "#sending");
    if (file.size > LARGEST) {
      status.textContent = largest;
      return;
    }
    form.dataset.busy = "yes";
    upload(address, file, (percent) => (status.textContent = `${sending} ${percent} %`))
      .then(() => {
        field.value = "";
        within(form, "[name=uploaded]", HTMLInputElement).value = "yes";
        form.submit();
      })
      .catch((error) => (status.textContent = error.message))
      .finally(() => delete form.dataset.busy);
  }

  /**
   * @param {string} address
   * @param {File} file
   * @param {(percent: number) => void} tell
   */
  async function upload(address, file, tell) {
    for (let offset = 0; offset < file.size; offset += PART) {
      tell(Math.floor((100 * offset) / file.size));
      const headers = { "Content-Type": "application/octet-stream", "X-Sidecar-CSRF": csrf() };
      const body = file.slice(offset, offset + PART);
      const answer = await fetch(`${address}?offset=${offset}`, { method: "PUT", headers, body, signal });
      if (!answer.ok) {
        const problem = await answer.json().catch(() => ({}));
        throw new Error(problem.detail ?? answer.statusText);
      }
    }
  }
}
