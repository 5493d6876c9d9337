// The page while the sidecar starts again: it goes on once the sidecar answers.

import { byId } from "../page.js";

const TRY_EVERY_MS = 500;
const ENOUGH_TRIES = 8;
// What was asked at the moment when the one stopped and the other began is never answered.
const ANSWER_WITHIN_MS = 2000;
const { health = "", next = "" } = byId("restarting").dataset;

async function answers() {
  try {
    const told = await fetch(health, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return told.ok && (await told.json()).status === "ok";
  } catch {
    return false;
  }
}

/**
 * It may have been away and back between two looks.
 * @param {number} tries
 * @param {boolean} wasAway
 */
async function look(tries, wasAway) {
  const isThere = await answers();
  if (isThere && (wasAway || tries >= ENOUGH_TRIES)) location.replace(next);
  else setTimeout(look, TRY_EVERY_MS, tries + 1, wasAway || !isThere);
}

setTimeout(look, TRY_EVERY_MS, 1, false);
