// What the server puts before the service worker.

declare const HOME: string;
declare const VERSION: string;
declare const PAGE: string;
declare const FILES: string[];
