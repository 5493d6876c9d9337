// The scripts' own sentences in the language of the page; English ones are the keys.

/** @type {Record<string, Record<string, string>>} */
const SENTENCES = {
  de: {
    "The connection to the sidecar is lost. Trying again …":
      "Die Verbindung zum Sidecar ist unterbrochen. Neuer Versuch …",
    "The sidecar does not answer. Trying again …": "Der Sidecar antwortet nicht. Neuer Versuch …",
    "The sidecar does not answer. Try again in a moment.": "Der Sidecar antwortet nicht. Versuche es gleich noch einmal.",
    "This page no longer changes by itself. Load it again to see how things stand.":
      "Diese Seite ändert sich nicht mehr von selbst. Lade sie neu, um den Stand zu sehen.",
    "This browser cannot play this kind of file.": "Dieser Browser kann solche Dateien nicht abspielen.",
    "Waiting for the code to be approved …": "Warte, bis der Code bestätigt ist …",
    "{title} is played next.": "{title} wird als Nächstes gespielt.",
    "{title} is in the queue.": "{title} ist in der Warteschlange.",
    "stopped at {time}": "angehalten bei {time}",
    "Downloading {title}":
      "Lädt {title}",
    "The browser is downloading, also after you close this page:":
      "Der Browser lädt, auch wenn du diese Seite schließt:",
    "Jellyfin Sidecar: {number} files": "Jellyfin Sidecar: {number} Dateien",
    "Stopped in the browser. “Look for what is missing” goes on.":
      "Im Browser angehalten. „Nach Fehlendem suchen“ macht weiter.",
    "{title} does not fit into the limit":
      "{title} passt nicht ins Limit",
    "This browser has no space left: {free} of what it may keep is free":
      "Dieser Browser hat keinen Platz mehr: Von dem, was er behalten darf, sind {free} frei",
    "This browser keeps files only over https.":
      "Dieser Browser behält Dateien nur über https.",
    "The browser keeps it for good.":
      "Der Browser behält sie dauerhaft.",
    "The browser may remove it when space runs out.":
      "Der Browser darf sie entfernen, wenn der Platz knapp wird.",
    "{used} of {size} that this browser allows are used.":
      "{used} von {size}, die dieser Browser erlaubt, sind belegt.",
    "{done} of {size}": "{done} von {size}",
    "{number} of {total}": "{number} von {total}",
    "{number} selected": "{number} ausgewählt",
    "{number} files selected": "{number} Dateien ausgewählt",
    "{time} left": "noch {time}",
    "{title} is now number {place} here": "{title} ist hier jetzt Nummer {place}",
  },
};

export const language = globalThis.document?.documentElement.lang || "en";

/**
 * Return a sentence in the page's language, its {names} replaced by the values.
 * @param {string} english
 * @param {Record<string, string | number>} [values]
 */
export function said(english, values = {}) {
  const sentence = SENTENCES[language]?.[english] ?? english;
  return sentence.replaceAll(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
