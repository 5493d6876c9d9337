// The service worker: a page without a network, and what is kept in this browser. The server puts before
// this its HOME, VERSION, PAGE and FILES.
//
// It keeps no page and no answer of a person's: only files that are the same for everybody, and what somebody
// asked to keep here, which it gives to nobody but them.

import { filesOfFetch } from "./kept/store.js";

const SHELL = `sidecar-shell ${HOME} ${VERSION}`;
const KEPT = `sidecar-kept ${HOME}`;
const CURRENT = `${HOME}kept/current`;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

worker.addEventListener("install", (event) => {
  event.waitUntil(install());
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== worker.location.origin || request.method !== "GET") return;
  if (pathname.startsWith(`${HOME}kept/`)) event.respondWith(giveKept(request, pathname));
  else if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => fromShell(PAGE)));
  else if (FILES.includes(pathname)) event.respondWith(fromShell(pathname));
});

async function install() {
  const shell = await caches.open(SHELL);
  await shell.addAll(FILES);
  // Without cookies: what is kept is nobody's page.
  const page = await fetch(PAGE, { credentials: "omit", cache: "no-store" });
  if (!page.ok || page.redirected) throw new Error("the page without a network cannot be had");
  await shell.put(PAGE, page);
  await worker.skipWaiting();
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(`sidecar-shell ${HOME} `) && name !== SHELL) await caches.delete(name);
  }
  await worker.clients.claim();
}

/** @param {string} path */
async function fromShell(path) {
  const shell = await caches.open(SHELL);
  return (await shell.match(path)) ?? fetch(path).catch(() => Response.error());
}

/**
 * A kept file, or a part of it, for whom it is kept.
 * @param {Request} request
 * @param {string} pathname
 */
async function giveKept(request, pathname) {
  const kept = await caches.open(KEPT);
  const current = await (await kept.match(CURRENT))?.json();
  const found = current && pathname.startsWith(`${HOME}kept/${current.account}/`) && (await kept.match(pathname));
  if (!found) return new Response(null, { status: 404 });
  const file = await found.blob();
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("Range") ?? "");
  /** @type {Record<string, string>} */
  const headers = { "Content-Type": found.headers.get("Content-Type") ?? "", "Accept-Ranges": "bytes" };
  if (!range) return new Response(file, { headers });
  const first = Number(range[1]);
  const last = Math.min(range[2] ? Number(range[2]) : Infinity, file.size - 1);
  if (first > last) return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${file.size}` } });
  headers["Content-Range"] = `bytes ${first}-${last}/${file.size}`;
  headers["Content-Length"] = String(last - first + 1);
  return new Response(file.slice(first, last + 1), { status: 206, headers });
}

// What the browser has fetched, perhaps with no page open: all of it, or what had come until it failed.
for (const ended of ["backgroundfetchsuccess", "backgroundfetchfail", "backgroundfetchabort"]) {
  worker.addEventListener(ended, (event) => {
    const { registration, waitUntil } = /** @type {FetchEnded} */ (/** @type {unknown} */ (event));
    waitUntil.call(event, takeFetched(registration));
  });
}

worker.addEventListener("backgroundfetchclick", () => open("this-browser"));

/** @param {BackgroundFetchRegistration} fetched */
async function takeFetched(fetched) {
  try {
    await filesOfFetch(HOME, fetched.id).takeFetched(fetched);
  } finally {
    // Also where there was no room for it: the page waits, and tries what is missing one by one.
    for (const page of await worker.clients.matchAll()) page.postMessage("kept");
  }
}

// News while no page is open: what the sidecar sent, and nothing but a page of ours behind it.
worker.addEventListener("push", (event) => {
  const { title, body, path } = event.data?.json() ?? {};
  const icon = `${HOME}static/icons/icon-192.png`;
  event.waitUntil(worker.registration.showNotification(title, { body, icon, data: { path }, tag: "sidecar" }));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.path ?? ""));
});

/** @param {string} path */
async function open(path) {
  const home = new URL(HOME, worker.location.origin).href;
  const wanted = new URL(path, home).href;
  const target = wanted.startsWith(home) ? wanted : home;
  for (const one of await worker.clients.matchAll({ type: "window" })) {
    if (one.url.startsWith(home)) return (await one.navigate(target))?.focus();
  }
  return worker.clients.openWindow(target);
}
