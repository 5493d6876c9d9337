// The set-up's first step: says which address is tried, as one that is silent takes a while.

import { said } from "../messages.js";
import { byId, elementOf, fieldsOf } from "../page.js";

document.addEventListener("submit", (event) => {
  const address = fieldsOf(/** @type {HTMLFormElement} */ (elementOf(event))).get("address");
  if (address) byId("trying").textContent = said("Trying {address}: this takes up to 10 seconds …", { address });
});
