// What scripts ask of their page, so that what is missing is an error where it is missed.

/**
 * The element of an id, which the page has.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [kind]
 */
export function byId(id, kind) {
  return checked(document.getElementById(id), `#${id}`, kind);
}

/**
 * The first element for a selector within a place, which has one.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {ParentNode} place
 * @param {string} selector
 * @param {new () => T} [kind]
 */
export function within(place, selector, kind) {
  return checked(place.querySelector(selector), selector, kind);
}

/**
 * @template {HTMLElement} T
 * @param {Element | null} found
 * @param {string} name
 * @param {new () => T} [kind]
 */
function checked(found, name, kind) {
  if (!(found instanceof (kind ?? HTMLElement))) throw new Error(`the page has no ${name}`);
  return /** @type {T} */ (found);
}

/**
 * The element of an event; null if it is of the document itself.
 * @param {Event} event
 */
export const elementOf = (event) => (event.target instanceof Element ? event.target : null);

/**
 * Listen to the document until a signal.
 * @param {AbortSignal} signal
 */
export function listener(signal) {
  /**
   * @template {keyof DocumentEventMap} K
   * @param {K} name
   * @param {(event: DocumentEventMap[K]) => void} act
   */
  return (name, act) => document.addEventListener(name, act, { signal });
}

/** The address that everything of the sidecar is below. */
export const home = () => document.body.dataset.home ?? "/";

/** What a request that changes something must carry; empty if nobody is signed in. */
export const csrf = () => document.body.dataset.csrf ?? "";

/**
 * Add a style sheet, and wait until it is there or cannot be had.
 * @param {string} href
 * @param {boolean} [stays] also on the pages that come
 */
export function addStyle(href, stays = false) {
  const link = document.createElement("link");
  Object.assign(link, { rel: "stylesheet", href });
  if (stays) link.dataset.stays = "";
  document.head.append(link);
  return new Promise((resolve) => (link.onload = link.onerror = resolve));
}

/**
 * Ask the sidecar for a change.
 * @param {string} path below its home
 * @param {object} body
 */
export function post(path, body) {
  const headers = { "Content-Type": "application/json", "X-Sidecar-CSRF": csrf() };
  return fetch(`${home()}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
}

/**
 * What a form would send.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} [submitter]
 */
export function fieldsOf(form, submitter) {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) fields.append(name, String(value));
  return fields;
}

/** @param {string} text */
export const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
