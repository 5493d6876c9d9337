// The files that are kept in this browser: apart for each account, and given to nobody else.
//
// One cache for a sidecar. The service worker gives the files to the player, for whoever is `current`.

const FETCHES = "sidecar-kept ";

/**
 * The name of what the browser fetches for an account.
 * @param {string} account
 */
export const fetchName = (account) => FETCHES + account;

export class KeptFiles {
  #home;
  #account;

  /**
   * @param {string} home
   * @param {string} account
   */
  constructor(home, account) {
    this.#home = home;
    this.#account = account;
  }

  get account() {
    return this.#account;
  }

  get #name() {
    return `sidecar-kept ${this.#home}`;
  }

  /** @param {string} name */
  #path(name) {
    return `${this.#home}kept/${this.#account}/${name}`;
  }

  /** @param {string} item */
  address(item) {
    return this.#path(item);
  }

  /** @returns {Promise<KeptFile[]>} */
  async list() {
    const kept = await this.#read("list");
    return kept?.files ?? [];
  }

  /** @param {string} item */
  async has(item) {
    return (await this.list()).some((one) => one.item === item);
  }

  /**
   * Keep a file that has come whole; the list names only what is there.
   * @param {WantedFile} file
   * @param {Blob} body
   * @param {string} type
   */
  async put(file, body, type) {
    const cache = await caches.open(this.#name);
    await cache.put(this.address(file.item), new Response(body, { headers: { "Content-Type": type } }));
    await this.#change((files) => [...files.filter((one) => one.item !== file.item), { ...file, size: body.size }]);
  }

  /** @param {string} item */
  async remove(item) {
    await this.#change((files) => files.filter((one) => one.item !== item));
    await (await caches.open(this.#name)).delete(this.address(item));
  }

  /**
   * Change the list. The page and the service worker do it one after the other.
   * @param {(files: KeptFile[]) => KeptFile[]} change
   */
  #change(change) {
    return navigator.locks.request(this.#path("list"), async () => this.#write("list", { files: change(await this.list()) }));
  }

  /**
   * Remember what the browser is to fetch, for who takes it.
   * @param {ComingFile[]} files
   */
  expect(files) {
    return this.#write("coming", { files });
  }

  /**
   * Take what the browser has fetched, as far as it has come whole and is expected still.
   * @param {BackgroundFetchRegistration} fetched
   */
  async takeFetched(fetched) {
    /** @type {ComingFile[]} */
    const coming = (await this.#read("coming"))?.files ?? [];
    for (const { request, responseReady } of await fetched.matchAll()) {
      const file = coming.find((one) => new URL(one.url, request.url).href === request.url);
      const answer = await responseReady.catch(() => null);
      if (!file || !answer?.ok || answer.redirected) continue;
      const body = await answer.blob();
      const length = answer.headers.get("Content-Length") ?? body.size;
      const { url, isOriginal, ...kept } = file;
      if (body.size && body.size === Number(length)) await this.put(kept, body, answer.headers.get("Content-Type") ?? "");
    }
    await this.expect([]);
  }

  /** Say whose files may be played here now. */
  async makeCurrent() {
    await write(this.#name, `${this.#home}kept/current`, { account: this.#account });
  }

  /** @returns {Promise<{ isKeeping?: boolean, isForgottenAtSignOut?: boolean }>} */
  async settings() {
    return (await this.#read("settings")) ?? {};
  }

  /** @param {{ isKeeping?: boolean, isForgottenAtSignOut?: boolean }} settings */
  async change(settings) {
    await this.#write("settings", { ...(await this.settings()), ...settings });
  }

  async clear() {
    const cache = await caches.open(this.#name);
    for (const request of await cache.keys()) {
      if (new URL(request.url).pathname.startsWith(this.#path(""))) await cache.delete(request);
    }
  }

  /** @param {string} name */
  async #read(name) {
    const cache = await caches.open(this.#name);
    return (await cache.match(this.#path(name)))?.json();
  }

  /**
   * @param {string} name
   * @param {object} value
   */
  #write(name, value) {
    return write(this.#name, this.#path(name), value);
  }
}

/**
 * The files of the account for which the browser has fetched something.
 * @param {string} home
 * @param {string} name
 */
export const filesOfFetch = (home, name) => new KeptFiles(home, name.slice(FETCHES.length));

/**
 * Whose files may be played here; null if nobody is signed in, or this browser keeps nothing.
 * @param {string} home
 */
export async function currentFiles(home) {
  if (!("caches" in globalThis) || !(await caches.has(`sidecar-kept ${home}`))) return null;
  const cache = await caches.open(`sidecar-kept ${home}`);
  const current = await (await cache.match(`${home}kept/current`))?.json();
  return current ? new KeptFiles(home, current.account) : null;
}

/**
 * Nobody is signed in any more: nothing is played from here until somebody is.
 * @param {string} home
 */
export async function endCurrent(home) {
  const files = await currentFiles(home);
  if (!files) return undefined;
  await (await caches.open(`sidecar-kept ${home}`)).delete(`${home}kept/current`);
  if ((await files.settings()).isForgottenAtSignOut) await files.clear();
  return files.account;
}

/**
 * @param {string} name
 * @param {string} path
 * @param {object} value
 */
async function write(name, path, value) {
  const body = new Response(JSON.stringify(value), { headers: { "Content-Type": "application/json" } });
  await (await caches.open(name)).put(path, body);
}
