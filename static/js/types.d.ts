// What the scripts read from outside: the sidecar's messages and answers, and what they keep in the browser.

interface Transfer {
  id: number;
  bytes_downloaded: number;
  expected_size: number | null;
  progress: number;
  seconds_left: number | null;
  speed: number;
}

interface Numbered {
  seq: number;
}

interface Snapshot extends Numbered {
  /** Of everything: a page that has it shows what is so. */
  version: string;
}

interface Progress extends Numbered {
  speed: number;
  transfers: Transfer[];
}

/** Whoever follows what happens. */
interface Follower {
  /** What the page shows may be wrong. */
  changed: () => void;
  progressed: (message: Progress) => void;
}

/** A page's script: it begins when the page comes, and `signal` tells when the page goes. */
type Start = (signal: AbortSignal) => void | Promise<void>;

type Media = "audio" | "video";

/** A file that this browser is to keep, as the sidecar tells. */
interface WantedFile {
  item: string;
  title: string;
  artist?: string | null;
  album?: string | null;
  heart?: boolean;
  media: Media;
  size: number | null;
}

interface KeptFile extends WantedFile {
  size: number;
}

/** A file that the browser fetches, from where, and whether it is the one of Jellyfin, whose size is known. */
interface ComingFile extends WantedFile {
  url: string;
  isOriginal: boolean;
}

/** Background Fetch, which the types of TypeScript do not have yet. */
interface BackgroundFetchRegistration extends EventTarget {
  readonly id: string;
  readonly downloaded: number;
  readonly downloadTotal: number;
  readonly result: "" | "success" | "failure";
  readonly failureReason: string;
  abort(): Promise<boolean>;
  matchAll(): Promise<{ request: Request; responseReady: Promise<Response> }[]>;
}

interface BackgroundFetchManager {
  get(id: string): Promise<BackgroundFetchRegistration | undefined>;
  fetch(id: string, requests: string[], options: object): Promise<BackgroundFetchRegistration>;
}

interface ServiceWorkerRegistration {
  readonly backgroundFetch?: BackgroundFetchManager;
}

/** One of the player's queue. */
interface Entry {
  item: string;
  title: string;
  media: Media;
  artist?: string;
  album?: string;
  cover?: string;
  /** Its own file; else the sidecar says where it is. */
  file?: string;
  href: string;
}

interface Queue {
  entries: Entry[];
  /** The places of the entries, in the order in which they are played. */
  order: number[];
  at: number;
  isShuffled: boolean;
}

interface ItemState {
  position?: number;
  position_at?: number;
  is_favourite?: boolean;
}
