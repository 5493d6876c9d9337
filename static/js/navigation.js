// Goes from page to page in place while the player is open: a page load would end what is heard.
//
// Without the player each link is an ordinary page load, and so is whatever does not fit here: another
// account, another language, another version of these files, a page that leads on by itself.

import htmx from "htmx.org";
import { said } from "./messages.js";
import { addStyle, byId, elementOf, fieldsOf, home, parsed } from "./page.js";

const SCROLLED_MS = 200;
/** @type {Map<string, Start>} */
const starts = new Map();
const loaded = new Set([...document.scripts].map((script) => script.src));

let over = new AbortController();
/** @type {AbortController | null} */
let going = null;
/** @type {(sentence: string) => void} */
let trouble = () => {};
let needed = () => false;
let shown = "";

const here = () => window.location.pathname + window.location.search;

/**
 * Start a page's script if it is this page, and each time that its page comes.
 * @param {string} name
 * @param {Start} start
 */
export function onPage(name, start) {
  starts.set(name, start);
  if (document.body.dataset.page === name) start(over.signal);
}

/**
 * Go from page to page in place while it is needed; `complain` says what stands in the way.
 * @param {{ isNeeded: () => boolean, complain: (sentence: string) => void }} how
 */
export function stayInPlace({ isNeeded, complain }) {
  needed = isNeeded;
  trouble = complain;
  shown = here();
  window.history.scrollRestoration = "manual";
  // On the window: whatever else acts on a click or a form did so before.
  window.addEventListener("click", followLink);
  window.addEventListener("submit", send);
  window.addEventListener("popstate", () => {
    if (here() !== shown) show(window.location.href, { isNew: false });
  });
  document.addEventListener("htmx:before:history:restore", (event) => event.preventDefault());
  document.addEventListener("htmx:after:history:push", () => (shown = here()));
  document.addEventListener("htmx:after:history:replace", () => (shown = here()));
  let waiting = 0;
  window.addEventListener("scroll", () => {
    clearTimeout(waiting);
    const address = shown;
    waiting = window.setTimeout(() => address === here() && keepScroll(), SCROLLED_MS);
  });
}

/**
 * Go to a page: in place if something plays.
 * @param {string} address
 */
export function visit(address) {
  if (needed()) show(address, {});
  else window.location.assign(address);
}

/**
 * Show the page that a form was answered with. It is not sent again: it may have done something.
 * @param {string} text
 * @param {Response} [answer]
 */
export async function showAnswer(text, answer) {
  const page = parsed(text);
  if (!fits(page)) return window.location.reload();
  if (answer?.redirected) rename(answer.url);
  await takeStyles(page);
  put(page);
  await begin(page);
  settle(0);
}

/**
 * Give this page another address, which shows the same.
 * @param {string} address
 */
export function rename(address) {
  window.history.replaceState(window.history.state, "", address);
  shown = here();
}

/** @param {MouseEvent} event */
function followLink(event) {
  if (!needed() || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  /** @type {HTMLAnchorElement | null | undefined} */
  const link = elementOf(event)?.closest("a[href]");
  if (!link || link.target || link.hasAttribute("download") || !isOurs(link.href)) return;
  const { pathname, search, hash } = new URL(link.href);
  if (hash && pathname + search === here()) return;
  event.preventDefault();
  show(link.href, {});
}

/** @param {SubmitEvent} event */
function send(event) {
  const { target: form, submitter } = event;
  if (!(form instanceof HTMLFormElement) || !needed() || event.defaultPrevented || form.target || form.closest("[data-leaves], dialog")) return;
  const address = new URL(submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? "", window.location.href);
  if (!isOurs(address.href) || form.enctype === "multipart/form-data") return;
  event.preventDefault();
  const fields = fieldsOf(form, submitter);
  if (form.method !== "post") {
    address.search = String(fields);
    show(address.href, {});
    return;
  }
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  show(address.href, { method: "POST", body: fields }).finally(() => (form.ariaBusy = null));
}

/** @param {string} address */
const isOurs = (address) => address.startsWith(new URL(home(), window.location.href).href);

/**
 * @param {string} address
 * @param {RequestInit & { isNew?: boolean }} how
 */
async function show(address, { isNew = true, ...options }) {
  going?.abort();
  going = new AbortController();
  const { signal } = going;
  trouble("");
  let answer;
  /** @type {Document | null} */
  let page = null;
  try {
    answer = await fetch(address, { ...options, signal });
    if (answer.headers.get("Content-Type")?.startsWith("text/html")) {
      page = parsed(await answer.text());
    }
    if (!page || !fits(page)) {
      // The address of a form cannot be asked for: the page that is there says how things are.
      if (options.method === "POST" && !answer.redirected) {
        if (page) window.location.reload();
        else if (!answer.ok) trouble(said("The sidecar does not answer. Try again in a moment."));
        return;
      }
      // The rest of what is no page is not fetched twice.
      if (!page) going.abort();
      window.location.assign(answer.redirected ? answer.url : address);
      return;
    }
    await takeStyles(page);
  } catch {
    // The page that is there stays, and what plays goes on.
    if (!signal.aborted) trouble(said("The sidecar does not answer. Try again in a moment."));
    return;
  }
  if (signal.aborted) return;
  // Where a form is refused, what to mend is shown, and the address stays that of the form.
  const keepsAddress = options.method === "POST" && !answer.redirected;
  if (isNew && !keepsAddress) {
    keepScroll();
    const to = (answer.redirected ? answer.url : address).split("#")[0] + new URL(address).hash;
    window.history[to === window.location.href ? "replaceState" : "pushState"]({}, "", to);
  }
  shown = here();
  put(page);
  await begin(page);
  if (!signal.aborted) settle(isNew ? 0 : (window.history.state?.scrolled ?? 0));
}

const keepScroll = () => window.history.replaceState({ ...window.history.state, scrolled: window.scrollY }, "");

/**
 * Whether a page belongs to what is there: the same person, language and version of these files.
 * @param {Document} page
 */
function fits(page) {
  if (!page.getElementById("main") || page.querySelector('meta[http-equiv="refresh"]')) return false;
  /** @param {(one: Document) => string | null | undefined} find */
  const alike = (find) => find(page) === find(document);
  if (!alike((one) => one.getElementById("player")?.dataset.account) || !alike((one) => one.documentElement.lang)) return false;
  return alike((one) => one.querySelector('link[href*="vendor/style.css"]')?.getAttribute("href"));
}

/**
 * @param {Document} page
 * @returns {Element[]}
 */
const styles = (page) => [...page.head.querySelectorAll('link[rel="stylesheet"]:not([data-stays])')];

/**
 * Wait for the styles of a page before it is shown; those of the one before go with it.
 * @param {Document} page
 */
async function takeStyles(page) {
  const known = new Set(styles(document).map((one) => one.getAttribute("href")));
  const fresh = styles(page).filter((one) => !known.has(one.getAttribute("href")));
  await Promise.all(fresh.map((one) => addStyle(one.getAttribute("href") ?? "")));
}

/** @param {Document} page */
function put(page) {
  over.abort();
  over = new AbortController();
  const wanted = styles(page).map((one) => one.getAttribute("href"));
  for (const one of styles(document)) {
    if (!wanted.includes(one.getAttribute("href"))) one.remove();
  }
  for (const name of ["color-scheme", "theme-color"]) {
    for (const old of document.head.querySelectorAll(`meta[name="${name}"]`)) old.remove();
    document.head.append(...page.head.querySelectorAll(`meta[name="${name}"]`));
  }
  const { theme } = page.documentElement.dataset;
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  document.title = page.title;
  const { page: name } = page.body.dataset;
  if (name) document.body.dataset.page = name;
  else delete document.body.dataset.page;
  document.body.dataset.csrf = page.body.dataset.csrf;
  for (const part of ["header.top", "#main"]) {
    const fresh = page.querySelector(part);
    if (fresh) document.querySelector(part)?.replaceWith(fresh);
  }
}

/** @param {Document} page */
async function begin(page) {
  for (const script of page.head.querySelectorAll("script[src]")) {
    const { href } = new URL(script.getAttribute("src") ?? "", window.location.href);
    if (loaded.has(href)) continue;
    loaded.add(href);
    await import(href);
  }
  const { page: name } = document.body.dataset;
  starts.get(name ?? "")?.(over.signal);
  htmx.process(document.body);
}

/**
 * Where a page load would leave somebody: at its top or where they were, with its name said.
 * @param {number} scrolled
 */
function settle(scrolled) {
  const main = byId("main");
  /** @type {HTMLElement | null} */
  const wanted = main.querySelector("[autofocus]");
  (wanted ?? main).focus({ preventScroll: true });
  const named = window.location.hash && document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
  if (named) named.scrollIntoView();
  else window.scrollTo(0, scrolled);
  wanted?.scrollIntoView({ block: "nearest" });
  const place = document.getElementById("page-shown");
  if (place) place.textContent = document.title;
}
