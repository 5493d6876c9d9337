// Selecting rows: how many are selected, all at once, and still selected when the list is new.

import { said } from "../messages.js";

const boxes = () => [...document.querySelectorAll('.pick input[type="checkbox"]')];

export function keepSelection() {
  let chosen = new Set();
  document.addEventListener("change", (event) => {
    if (event.target.id === "pick-all") {
      for (const box of boxes()) box.checked = event.target.checked;
    }
    if (event.target.matches('.pick input, #pick-all')) show();
  });
  document.addEventListener("htmx:before:swap", () => {
    chosen = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  });
  document.addEventListener("htmx:after:swap", () => {
    for (const box of boxes()) box.checked = chosen.has(box.value);
    show();
  });
  // A browser ticks again what was ticked when somebody comes back to the page.
  window.addEventListener("pageshow", show);
}

function show() {
  const all = boxes();
  const number = all.filter((box) => box.checked).length;
  const place = document.getElementById("how-many");
  if (place) place.textContent = number ? said("{number} selected", { number }) : "";
  const every = document.getElementById("pick-all");
  if (!every) return;
  every.checked = number > 0 && number === all.length;
  every.indeterminate = number > 0 && number < all.length;
}
