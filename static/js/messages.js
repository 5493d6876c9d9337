// The scripts' own sentences in the language of the page; English ones are the keys.

import sentences from "./sentences.json" with { type: "json" };

/** @type {Record<string, Record<string, string>>} */
const translations = sentences;

export const language = globalThis.document?.documentElement.lang || "en";

/**
 * Return a sentence in the page's language, its {names} replaced by the values.
 * @param {string} english
 * @param {Record<string, string | number>} [values]
 */
export function said(english, values = {}) {
  const sentence = translations[language]?.[english] ?? english;
  return sentence.replaceAll(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
