// A strip of the last webhook deliveries to the bot: one mark each, tall and
// red when the bot did not answer 200.

import { h } from "./dom.js";
import { timeOfDayPrecise } from "./format.js";

const MARKS = 40;

/** webhookStrip gives the strip. */
export function webhookStrip(store) {
  const words = h("span", { class: "webhooks-words" });
  const marks = h("div", { class: "webhooks-marks", "aria-hidden": "true" });
  const root = h("section", { class: "webhooks", "aria-label": "Webhook deliveries", hidden: true }, h("h2", { text: "Webhooks" }), words, marks);

  store.on("webhooks", () => {
    const all = store.webhooks;
    const refused = all.filter((d) => d.status !== 200).length;
    root.hidden = false;
    words.textContent = `last ${all.length}: ${refused ? `${refused} not answered with 200` : "all answered with 200"}`;
    marks.replaceChildren(...all.slice(-MARKS).map((d) => h("i", {
      class: d.status === 200 ? "good" : "bad", dataset: { kind: d.kind ?? "" },
      title: `${timeOfDayPrecise(d.at)} ${d.kind} ×${d.count}: ${d.status ? `HTTP ${d.status}` : "no answer"}${d.attempt > 1 ? `, try ${d.attempt}` : ""}`,
    })));
  });
  return root;
}
