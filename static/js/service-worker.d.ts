// What the server puts before the service worker.

declare const HOME: string;
declare const VERSION: string;
declare const PAGE: string;
declare const FILES: string[];

/** What ends a background fetch. */
interface FetchEnded {
  registration: BackgroundFetchRegistration;
  waitUntil: (until: Promise<void>) => void;
}
