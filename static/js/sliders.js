// Sliders whose values have names, such as from "familiar" to "new": they say which one is chosen.

import { elementOf } from "./page.js";

/** Show, and tell screen readers, the name that is nearest to the value of the slider that is moved. */
export function sayValuesOfSliders() {
  document.addEventListener("input", (event) => {
    const slider = elementOf(event);
    if (!(slider instanceof HTMLInputElement) || !("named" in slider.dataset)) return;
    const value = slider.valueAsNumber;
    /** @param {HTMLOptionElement} one */
    const distance = (one) => Math.abs(Number(one.value) - value);
    const nearest = [...(slider.list?.options ?? [])].reduce((a, b) => (distance(b) < distance(a) ? b : a));
    const said = `${nearest.label} (${value})`;
    slider.setAttribute("aria-valuetext", said);
    const shown = slider.parentElement?.querySelector("output");
    if (shown) shown.textContent = said;
  });
}
