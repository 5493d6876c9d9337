// Plays the files of the page in a bar, one after the other; without it the links open the files.

import { said } from "./messages.js";

export function playHere(bar) {
  const part = (name) => bar.querySelector(`[data-part="${name}"]`);
  const say = (name, text) => (part(name).textContent = text);
  const players = [part("audio"), part("video")];
  let queue = [];
  let at = 0;

  function play(place) {
    at = place;
    show(true);
    const { href, dataset } = queue[at];
    say("title", dataset.title);
    say("place", said("{number} of {total}", { number: at + 1, total: queue.length }));
    part("before").disabled = at === 0;
    part("after").disabled = at === queue.length - 1;
    const player = part(dataset.media);
    Object.assign(player, { hidden: false, src: href });
    player.play().catch(() => {}); // `complain` hears of it.
  }

  function show(isPlaying) {
    bar.hidden = !isPlaying;
    say("trouble", "");
    for (const player of players) {
      player.hidden = true;
      player.removeAttribute("src");
      player.load();
    }
  }

  async function complain({ target }) {
    if (!target.hasAttribute("src")) return;
    const answer = await fetch(target.src, { headers: { Range: "bytes=0-0" } }).catch(() => null);
    const reason = answer?.ok ? said("This browser cannot play this kind of file.") : (await answer?.json())?.detail;
    say("trouble", reason ?? said("The sidecar does not answer. Trying again …"));
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-plays]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const playable = [...document.querySelectorAll("a[data-plays]")];
    const first = new Map(playable.map((one) => [one.dataset.plays, one]).reverse());
    first.set(link.dataset.plays, link);
    // What is on two devices is heard once.
    queue = playable.filter((one) => first.get(one.dataset.plays) === one);
    play(queue.indexOf(link));
  });
  part("before").addEventListener("click", () => play(at - 1));
  part("after").addEventListener("click", () => play(at + 1));
  part("close").addEventListener("click", () => show(false));
  for (const player of players) {
    player.addEventListener("ended", () => part("after").click());
    player.addEventListener("error", complain);
  }
}
