// The sidecar's download button on the item pages of Jellyfin's own web client, as a classic script
// without dependencies: a plugin that injects scripts loads it there from /jellyfin-web.js.
//
// It reads nothing of Jellyfin but the address, the user's id and where the buttons stand. Its key
// opens only what it does here; it comes from our own window, after a yes, and never by typing.
// Nothing that an answer holds becomes markup.

/**
 * @typedef {object} OnDevice how the item stands on one device
 * @property {string} device_id
 * @property {string} device_name
 * @property {"available"|"waiting"|"downloading"|"paused"|"failed"|"completed"|"partly"|"not-taken"} state
 * @property {number} progress from 0 to 1
 * @property {boolean} pinned
 * @property {string|null} text why nothing of it can come
 *
 * @typedef {object} Stands
 * @property {string} item_id
 * @property {string} title
 * @property {OnDevice[]} devices
 */

(() => {
  const script = /** @type {HTMLScriptElement|null} */ (document.currentScript);
  // Loaded twice, by two plugins or by a page that is loaded again in part.
  if (!script || document.documentElement.dataset.sidecar) return;
  document.documentElement.dataset.sidecar = "yes";

  const HOME = new URL(".", script.src).href;
  const SOON_MS = 2000;
  const LATER_MS = 30_000;
  const PATIENCE_MS = 3000;
  const UNDER_WAY = ["waiting", "downloading", "paused"];
  const NS = "http://www.w3.org/2000/svg";
  const ARROW = "M12 4v10m0 0-4-4m4 4 4-4M5 19h14";
  const TICK = "m5 12.5 4.5 4.5L19 7.5";
  const ALARM = "M12 4 2.8 20h18.4L12 4zm0 6v4.5m0 2.2v.1";

  /** @type {Record<string, Record<string, string>>} */
  const SENTENCES = {
    de: {
      "Sidecar: connect": "Sidecar: verbinden",
      "Sidecar does not answer": "Sidecar antwortet nicht",
      "Download to a device": "Auf ein Gerät laden",
      "On the way to {device}: {percent} %": "Unterwegs zu {device}: {percent} %",
      "Waiting for {device}": "Wartet auf {device}",
      "On {device}": "Auf {device}",
      "Failed for {device}": "Fehlgeschlagen für {device}",
      "not here": "nicht hier",
      "waits": "wartet",
      "paused": "angehalten",
      "on its way, {percent} %": "unterwegs, {percent} %",
      "failed": "fehlgeschlagen",
      "on the device": "auf dem Gerät",
      "partly on the device": "teilweise auf dem Gerät",
      "Download": "Laden",
      "Download the rest": "Rest laden",
      "Cancel": "Abbrechen",
      "Unpin": "Nicht mehr anpinnen",
      "Open in Sidecar": "In Sidecar öffnen",
      "Close": "Schließen",
    },
  };

  let itemId = "";
  /** @type {Stands|null} */
  let stands = null;
  let isAway = false;
  /** @type {string|null} why nothing came of the last press */
  let trouble = null;
  let since = 0;
  let asked = 0;
  let timer = 0;
  let frame = 0;
  let patience = 0;
  /** @type {HTMLButtonElement|null} */
  let button = null;
  /** @type {HTMLElement|null} the button's own place, where Jellyfin's buttons were not found */
  let corner = null;
  /** @type {HTMLDialogElement|null} */
  let dialog = null;
  /** @type {Window|null} */
  let connecting = null;

  /** @param {string} english @param {Record<string, string|number>} [values] */
  function say(english, values = {}) {
    const language = (document.documentElement.lang || navigator.language).slice(0, 2);
    const sentence = SENTENCES[language]?.[english] ?? english;
    return sentence.replaceAll(/\{(\w+)\}/g, (_, name) => String(values[name]));
  }

  /** Return the id of the item that the address names, "" if it names none. */
  function itemOfAddress() {
    const [path, query] = window.location.hash.replace(/^#!?\/?/, "").split("?");
    if (!["details", "details.html"].includes(path)) return "";
    const id = (new URLSearchParams(query).get("id") ?? "").replaceAll("-", "").toLowerCase();
    return /^[0-9a-f]{32}$/.test(id) ? id : "";
  }

  /** Return the id of Jellyfin's user: a key is only for the one who asked for it. */
  function userId() {
    const client = /** @type {any} */ (window).ApiClient;
    const id = String(client?.getCurrentUserId?.() ?? "").replaceAll("-", "").toLowerCase();
    return /^[0-9a-f]{32}$/.test(id) ? id : "";
  }

  const place = () => `sidecar-key ${HOME} ${userId()}`;

  function key() {
    try {
      return window.localStorage.getItem(place());
    } catch {
      return null;
    }
  }

  /** @param {string|null} secret */
  function keep(secret) {
    try {
      if (secret) window.localStorage.setItem(place(), secret);
      else window.localStorage.removeItem(place());
    } catch {
      // A browser that keeps nothing asks again on each page.
    }
  }

  /** @param {string} path @param {object} [body] @returns {Promise<Response>} */
  function ask(path, body) {
    const headers = { Authorization: `Bearer ${key()}`, ...(body && { "Content-Type": "application/json" }) };
    const sent = body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers };
    return fetch(`${HOME}api/v1/jellyfin-web/items/${path}`, { ...sent, credentials: "omit", cache: "no-store" });
  }

  /** Ask how the item stands, or for a change of it, and show the answer. */
  async function refresh(path = itemId, /** @type {object|undefined} */ body = undefined) {
    clearTimeout(timer);
    if (!itemId || !key()) return show();
    asked += 1;
    const mine = asked;
    try {
      const answer = await ask(path, body);
      if (mine !== asked) return;
      isAway = false;
      if (answer.status === 401) keep(null);
      if (answer.ok) stands = await answer.json();
      else if (!body) stands = null;
      trouble = answer.ok || !body ? null : (await answer.json()).detail;
    } catch {
      if (mine !== asked) return;
      isAway = true;
    }
    show();
    const isMoving = stands?.devices.some(({ state }) => UNDER_WAY.includes(state));
    timer = window.setTimeout(look, isMoving ? SOON_MS : LATER_MS);
  }

  function look() {
    if (document.visibilityState === "visible") refresh();
    else timer = window.setTimeout(look, LATER_MS);
  }

  /** Open our own window: there the person signs in, says yes, and the key comes from it. */
  function connect() {
    const query = new URLSearchParams({ origin: window.location.origin, user: userId() });
    connecting = window.open(`${HOME}jellyfin-web/connect?${query}`, "sidecar", "popup,width=480,height=680");
  }

  window.addEventListener("message", ({ origin, source, data }) => {
    if (origin !== new URL(HOME).origin || !connecting || source !== connecting) return;
    if (typeof data?.sidecarKey !== "string" || !data.sidecarKey.startsWith("sidecarweb_")) return;
    keep(data.sidecarKey);
    connecting = null;
    refresh();
  });

  /** @param {string} path @param {number|null} done how far the ring is, from 0 to 1 */
  function picture(path, done = null) {
    const svg = document.createElementNS(NS, "svg");
    const look = { viewBox: "0 0 24 24", width: "1em", height: "1em", fill: "none", stroke: "currentColor", "stroke-width": "2", "aria-hidden": "true" };
    for (const [name, value] of Object.entries(look)) svg.setAttribute(name, value);
    svg.setAttribute("class", "detailButton-icon");
    const shape = document.createElementNS(NS, "path");
    shape.setAttribute("d", path);
    if (done !== null) shape.setAttribute("transform", "translate(5 5.5) scale(.58)");
    svg.append(shape);
    for (const share of done === null ? [] : [1, done]) {
      const ring = document.createElementNS(NS, "circle");
      const round = { cx: "12", cy: "12", r: "10", pathLength: "100", "stroke-dasharray": `${100 * share} 100`, transform: "rotate(-90 12 12)", opacity: share === 1 && done !== 1 ? ".3" : "1" };
      for (const [name, value] of Object.entries(round)) ring.setAttribute(name, value);
      svg.append(ring);
    }
    return svg;
  }

  const percent = (/** @type {OnDevice} */ one) => Math.round(100 * one.progress);

  /** Return what the button shows and says. */
  function lookOf() {
    if (!key()) return { icon: picture(ARROW), text: say("Sidecar: connect") };
    if (isAway) return { icon: picture(ALARM), text: say("Sidecar does not answer") };
    const taken = stands?.devices.filter(({ state }) => state !== "not-taken") ?? [];
    const moving = taken.find(({ state }) => state === "downloading") ?? taken.find(({ state }) => UNDER_WAY.includes(state));
    if (moving) {
      const sentence = moving.state === "downloading" ? "On the way to {device}: {percent} %" : "Waiting for {device}";
      return { icon: picture(ARROW, moving.progress), text: say(sentence, { device: moving.device_name, percent: percent(moving) }) };
    }
    const failed = taken.find(({ state }) => state === "failed");
    if (failed) return { icon: picture(ALARM), text: say("Failed for {device}", { device: failed.device_name }) };
    const there = taken.filter(({ state }) => state === "completed");
    if (there.length) {
      return { icon: picture(TICK, 1), text: say("On {device}", { device: there.map((one) => one.device_name).join(", ") }) };
    }
    return { icon: picture(ARROW), text: say("Download to a device") };
  }

  function press() {
    if (!key()) return connect();
    if (isAway || !stands) return refresh();
    const taken = stands.devices.filter(({ state }) => state !== "not-taken");
    if (taken.length === 1 && ["available", "partly"].includes(taken[0].state)) return act("download", taken[0]);
    open();
  }

  /** @param {"download"|"unpin"} what @param {OnDevice} one */
  function act(what, one) {
    refresh(`${itemId}/${what}`, { device_id: one.device_id });
  }

  function makeButton() {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button-flat detailButton emby-button sidecarButton";
    const inside = document.createElement("div");
    inside.className = "detailButton-content";
    made.append(inside);
    made.addEventListener("click", press);
    return made;
  }

  /** Put the button where Jellyfin's stand; in a corner of its own, if they were not found. */
  function stand() {
    const rows = document.querySelectorAll(".itemDetailPage:not(.hide) .mainDetailButtons, #itemDetailPage:not(.hide) .mainDetailButtons");
    const row = rows[rows.length - 1];
    if (!row && performance.now() - since < PATIENCE_MS) {
      patience ||= window.setTimeout(drawSoon, PATIENCE_MS);
      return false;
    }
    clearTimeout(patience);
    patience = 0;
    button ??= makeButton();
    if (row) {
      corner?.remove();
      corner = null;
      if (button.parentElement !== row) row.insertBefore(button, row.querySelector(":scope > .btnMoreCommands"));
    } else if (!corner?.isConnected) {
      corner = document.createElement("div");
      const root = corner.attachShadow({ mode: "open" });
      const style = document.createElement("style");
      style.textContent =
        "button{position:fixed;inset:auto 1rem 5rem auto;z-index:999;display:grid;place-items:center;width:3rem;height:3rem;border:0;border-radius:50%;background:#00739b;color:#fff;font-size:1.6rem;cursor:pointer}[hidden]{display:none}";
      root.append(style, button);
      document.body.append(corner);
    }
    return true;
  }

  function show() {
    if (!itemId || !stand() || !button) return;
    const isNothing = Boolean(key()) && !isAway && !stands?.devices.some(({ state }) => state !== "not-taken");
    button.hidden = isNothing;
    button.classList.toggle("hide", isNothing);
    const { icon, text } = lookOf();
    button.title = text;
    button.setAttribute("aria-label", text);
    button.firstElementChild?.replaceChildren(icon);
    if (dialog?.open) fill();
  }

  const STYLE = `
    dialog { box-sizing: border-box; width: min(26rem, 92vw); border: 0; border-radius: .5rem; padding: 1rem;
      background: Canvas; color: CanvasText; font: inherit; font-size: 1rem; line-height: 1.4 }
    dialog::backdrop { background: #0009 }
    h2 { margin: 0 0 .5rem; font-size: 1.1rem; overflow-wrap: anywhere }
    ul { list-style: none; margin: 0; padding: 0 }
    li { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; padding: .5rem 0 }
    li > span { flex: 1 1 9rem; overflow-wrap: anywhere }
    small { display: block; opacity: .8 }
    button { font: inherit; min-height: 2.5rem; padding: 0 1rem; border: 1px solid; border-radius: .3rem;
      background: transparent; color: inherit; cursor: pointer }
    p { display: flex; gap: 1rem; align-items: center; justify-content: space-between; margin: .5rem 0 0 }
    a { color: LinkText }`;

  function open() {
    if (!dialog) {
      const host = document.createElement("div");
      const root = host.attachShadow({ mode: "open" });
      const style = document.createElement("style");
      style.textContent = STYLE;
      dialog = document.createElement("dialog");
      dialog.addEventListener("click", ({ target }) => target === dialog && dialog?.close());
      // Jellyfin moves its own focus by keys.
      dialog.addEventListener("keydown", (event) => event.stopPropagation());
      root.append(style, dialog);
      document.body.append(host);
    }
    // Its colours are those of the theme: light letters mean a dark one.
    const light = /** @type {string[]} */ (getComputedStyle(document.body).color.match(/\d+/g) ?? ["255"]).slice(0, 3);
    dialog.style.colorScheme = light.every((one) => Number(one) > 127) ? "dark" : "light";
    fill();
    dialog.showModal();
  }

  /** @param {OnDevice} one */
  function words(one) {
    if (one.state === "not-taken") return one.text ?? "";
    const words = { available: "not here", waiting: "waits", paused: "paused", downloading: "on its way, {percent} %", failed: "failed", completed: "on the device", partly: "partly on the device" };
    return say(words[one.state], { percent: percent(one) });
  }

  /** @template {keyof HTMLElementTagNameMap} T @param {T} name @param {string} text */
  function element(name, text = "") {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  /** @param {string} text @param {string} mark @param {() => void} act */
  function control(text, mark, act) {
    const made = element("button", text);
    made.dataset.mark = mark;
    made.addEventListener("click", act);
    return made;
  }

  /** Fill the dialog; what had the focus has it again. */
  function fill() {
    if (!dialog || !stands) return;
    const root = /** @type {ShadowRoot} */ (dialog.getRootNode());
    const held = /** @type {HTMLElement|null} */ (root.activeElement)?.dataset.mark;
    const list = element("ul");
    for (const one of stands.devices) {
      const row = element("li");
      const name = element("span", one.device_name);
      name.append(element("small", words(one)));
      row.append(name);
      const mark = one.device_id;
      if (UNDER_WAY.includes(one.state)) row.append(control(say("Cancel"), mark, () => act("unpin", one)));
      else if (one.state === "available") row.append(control(say("Download"), mark, () => act("download", one)));
      else if (one.state === "partly") row.append(control(say("Download the rest"), mark, () => act("download", one)));
      if (["completed", "partly"].includes(one.state) && one.pinned) {
        row.append(control(say("Unpin"), `${mark} go`, () => act("unpin", one)));
      }
      list.append(row);
    }
    const foot = element("p");
    const link = element("a", say("Open in Sidecar"));
    link.href = `${HOME}library/${itemId}`;
    link.target = "_blank";
    link.rel = "noopener";
    foot.append(link, control(say("Close"), "close", () => dialog?.close()));
    const told = element("div", trouble ?? "");
    told.setAttribute("role", "status");
    dialog.replaceChildren(element("h2", stands.title), list, told, foot);
    const again = [...dialog.querySelectorAll("button")].find(({ dataset }) => dataset.mark === held);
    if (held) (again ?? dialog.querySelector("button"))?.focus();
  }

  /** Follow Jellyfin from page to page, and see when it has drawn one. */
  function draw() {
    frame = 0;
    const now = itemOfAddress();
    if (now === itemId) {
      if (itemId && (!button?.isConnected || corner || !button.closest(".itemDetailPage:not(.hide), #itemDetailPage:not(.hide)"))) show();
      return;
    }
    itemId = now;
    stands = trouble = null;
    isAway = false;
    since = performance.now();
    clearTimeout(patience);
    patience = 0;
    dialog?.close();
    button?.remove();
    corner?.remove();
    button = corner = null;
    refresh();
  }

  function drawSoon() {
    frame ||= requestAnimationFrame(draw);
  }

  const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] };
  new MutationObserver(drawSoon).observe(document.documentElement, changes);
  window.addEventListener("hashchange", drawSoon);
  document.addEventListener("visibilitychange", look);
  drawSoon();
})();
