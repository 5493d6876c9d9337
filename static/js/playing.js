// Plays the files of the page in a bar, one after the other; without it the links open the files.

import { said } from "./said.js";

export function playHere(bar) {
  const part = (name) => bar.querySelector(`[data-part="${name}"]`);
  const say = (name, text) => (part(name).textContent = text);
  const players = { audio: part("audio"), video: part("video") };
  let queue = [];
  let at = 0;

  function play(place) {
    at = place;
    const { href, dataset } = queue[at];
    silence();
    bar.hidden = false;
    say("title", dataset.title);
    say("place", said("{number} of {total}", { number: at + 1, total: queue.length }));
    part("before").disabled = at === 0;
    part("after").disabled = at === queue.length - 1;
    const player = players[dataset.media];
    player.hidden = false;
    player.src = href;
    // What does not play tells so by an event of its own.
    player.play().catch(() => {});
    mark();
  }

  function silence() {
    say("trouble", "");
    for (const player of Object.values(players)) {
      player.hidden = true;
      player.removeAttribute("src");
      player.load();
    }
  }

  function mark() {
    for (const link of document.querySelectorAll("a[data-plays]")) {
      link.toggleAttribute("data-now", !bar.hidden && link.dataset.plays === queue[at].dataset.plays);
    }
  }

  async function complain({ target }) {
    if (!target.hasAttribute("src")) return;
    const answer = await fetch(target.src, { headers: { Range: "bytes=0-0" } }).catch(() => null);
    if (answer?.ok) say("trouble", said("This browser cannot play this kind of file."));
    else say("trouble", (await answer?.json())?.detail ?? said("The sidecar does not answer. Trying again …"));
  }

  const step = (by) => queue[at + by] && play(at + by);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-plays]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    queue = [...document.querySelectorAll("a[data-plays]")];
    play(queue.indexOf(link));
  });
  document.addEventListener("htmx:after:swap", mark);
  part("before").addEventListener("click", () => step(-1));
  part("after").addEventListener("click", () => step(1));
  part("close").addEventListener("click", () => {
    silence();
    bar.hidden = true;
    mark();
  });
  for (const player of Object.values(players)) {
    player.addEventListener("ended", () => step(1));
    player.addEventListener("error", complain);
  }
}
