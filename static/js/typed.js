// What was typed into settings is kept in this tab until it is saved: never what is hidden or a password.

import { said } from "./messages.js";
import { byId, elementOf, home } from "./page.js";

const KEPT = "sidecar-typed";
const SIGNED_OUT = "sidecar-typed-signed-out";

const page = () => [document.getElementById("player")?.dataset.account, window.location.pathname, window.location.search].join(" ");
/** @returns {NodeListOf<HTMLInputElement | HTMLSelectElement>} */
const fields = () => document.querySelectorAll("form.settings :is(input:not([type=hidden], [type=password]), select)");

/** Keep what the page's forms have that was not there when it came. */
export function keepTyped() {
  const all = [...fields()];
  const typed = all.filter(isTouched).map((one) => ({ at: all.indexOf(one), name: one.name, value: one.value, checked: one.matches(":checked") }));
  if (typed.length) sessionStorage.setItem(KEPT, JSON.stringify({ page: page(), typed }));
}

/** On the sign-in page: what is kept was not saved. */
export const noteSignedOut = () => sessionStorage.getItem(KEPT) && sessionStorage.setItem(SIGNED_OUT, "yes");

/** Put back what was not saved, as its sender was signed out or the sidecar away; what was saved is kept no more. */
export function putBackTyped() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  const isLost = performance.getEntriesByType("navigation")[0]?.toJSON().type !== "navigate" || sessionStorage.getItem(SIGNED_OUT);
  // Signed in again, somebody may be somewhere else first.
  if (isLost && kept.page !== page()) return;
  for (const one of [KEPT, SIGNED_OUT]) sessionStorage.removeItem(one);
  if (!isLost) return;
  const all = fields();
  for (const { at, name, ...typed } of kept.typed) if (all[at]?.name === name) Object.assign(all[at], typed);
  const told = said("This was not saved: it is here again as you typed it. Save it once more.");
  const note = Object.assign(document.createElement("p"), { className: "notice info", role: "status", textContent: told });
  all[kept.typed[0].at]?.form?.prepend(note);
}

// A form is sent only where somebody hears it: else what was typed stays, below what is wrong.
document.addEventListener("submit", async (event) => {
  const form = elementOf(event);
  if (!(form instanceof HTMLFormElement) || !form.matches(".settings")) return;
  keepTyped();
  if (byId("offline").hidden) return;
  event.preventDefault();
  byId("offline").scrollIntoView({ block: "center" });
  if (await fetch(`${home()}api/v1/session`).then(() => true, () => false)) form.submit();
});

/** @param {HTMLInputElement | HTMLSelectElement} one */
export function isTouched(one) {
  if (one instanceof HTMLInputElement) return one.checked !== one.defaultChecked || one.value !== one.defaultValue;
  return one.selectedIndex !== Math.max(0, [...one.options].findLastIndex((option) => option.defaultSelected));
}
