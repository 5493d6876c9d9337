// Sends a history that is too large for a form in parts, before the form itself is sent.

import { onPage } from "../navigation.js";

const PART = 48 * 1024;
const LARGEST = 16 * 1024 * 1024;

onPage(import.meta.url, (signal) => {
  document.addEventListener("submit", (event) => event.target.id === "ask" && send(event), { signal, capture: true });

  function send(event) {
    const form = event.target;
    const [file] = form.elements.history.files;
    if (!file || file.size < PART) return;
    event.preventDefault();
    event.stopPropagation();
    if (form.dataset.busy) return;
    const tell = (text) => (form.querySelector("#sending").textContent = text);
    if (file.size > LARGEST) {
      tell(form.dataset.largest);
      return;
    }
    form.dataset.busy = "yes";
    upload(form, file, tell)
      .then(() => {
        form.elements.history.value = "";
        form.elements.uploaded.value = "yes";
        form.submit();
      })
      .catch((error) => tell(error.message))
      .finally(() => delete form.dataset.busy);
  }

  async function upload(form, file, tell) {
    for (let offset = 0; offset < file.size; offset += PART) {
      tell(`${form.dataset.sending} ${Math.floor((100 * offset) / file.size)} %`);
      const answer = await fetch(`${form.dataset.upload}?offset=${offset}`, {
        method: "PUT",
        headers: { "X-Sidecar-CSRF": document.body.dataset.csrf, "Content-Type": "application/octet-stream" },
        body: file.slice(offset, offset + PART),
        signal,
      });
      if (!answer.ok) {
        const problem = await answer.json().catch(() => ({}));
        throw new Error(problem.detail ?? answer.statusText);
      }
    }
  }
});
