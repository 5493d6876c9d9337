// Answers that htmx cannot put into the page: an error, or a page that lacks what was asked for.

import { showAnswer, visit } from "../navigation.js";

document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = event.detail;
  if (fits(ctx, tasks)) return;
  event.preventDefault();
  // What the page asks by itself it asks again; meanwhile it stays as it is.
  if (!isByAPerson(ctx.sourceEvent)) return;
  const { method, action } = ctx.request;
  if (method === "GET") visit(action);
  else showAnswer(ctx.text ?? "", ctx.response?.raw);
});

/**
 * @param {import("htmx.org").HtmxRequestCtx} ctx
 * @param {{ fragment: DocumentFragment }[]} tasks
 */
function fits({ response, select, target, sourceElement }, tasks) {
  // Going back brings whole pages, also those that tell of an error.
  if (!response || response.status === 204 || (target === document.body && !select)) return true;
  if (!sourceElement.isConnected) return true;
  // What was asked for was taken out of the answer before: nothing is left where it lacks it.
  return response.status < 400 && (!select || tasks.some(({ fragment }) => fragment.childElementCount > 0));
}

/** @param {Event | null} event */
const isByAPerson = (event) => event instanceof Event && event.type !== "every";
