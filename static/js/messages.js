// The scripts' own sentences in the language of the page; English ones are the keys.

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
    "stopped at {time}": "angehalten bei {time}",
    "{done} of {size}": "{done} von {size}",
    "{number} of {total}": "{number} von {total}",
    "{number} selected": "{number} ausgewählt",
    "{time} left": "noch {time}",
    "{title} is now number {place} here": "{title} ist hier jetzt Nummer {place}",
  },
};

export const language = globalThis.document?.documentElement.lang || "en";

/** Return a sentence in the page's language, its {names} replaced by the values. */
export function said(english, values = {}) {
  const sentence = SENTENCES[language]?.[english] ?? english;
  return sentence.replaceAll(/\{(\w+)\}/g, (_, name) => values[name]);
}
