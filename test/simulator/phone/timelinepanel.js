// The live timeline: a row for each turn, its stages as a waterfall.

import { h, svg } from "./dom.js";
import { millis, timeOfDayPrecise } from "./format.js";
import { GROUPS, niceSpan, rowsFor } from "./timeline.js";

const SHOWN = 40; // turns drawn
const SCALED_BY = 8; // the newest turns set the scale, so that one bad hour does not flatten today's

/** timelinePanel gives an element with draw(user). */
export function timelinePanel(store) {
  const who = h("span", { class: "timeline-who" });
  const scale = h("div", { class: "scale", "aria-hidden": "true" });
  const list = h("ol", { class: "turns", role: "list", "data-testid": "timeline", "aria-label": "Turns, the newest first" });
  const empty = h("p", { class: "empty", text: "No turn yet. Send something, and every stage of the answer appears here with its time." });
  const legend = h("ul", { class: "legend", "aria-label": "Colours", role: "list" }, ...Object.entries(GROUPS).map(([group, name]) => h("li", {}, h("i", { dataset: { group }, "aria-hidden": "true" }), name)));
  const root = h("section", { class: "timeline", "aria-label": "Timeline" }, h("div", { class: "timeline-head" }, h("h2", { text: "Timeline" }), who), legend, scale, empty, list);
  const rows = new Map(); // turn -> row, kept so that an open one stays open
  let user = null;
  let due = 0;

  root.draw = (shown) => {
    user = shown;
    // A turn brings a dozen events in a burst: one drawing a frame is enough. A
    // frame callback would never come in a window that is covered.
    if (!due) due = setTimeout(() => {
      due = 0;
      draw();
    }, 16);
  };

  function draw() {
    who.textContent = store.users.get(user)?.name ?? "";
    const turns = rowsFor(store.turns, user, SHOWN);
    empty.hidden = turns.length > 0;
    scale.hidden = turns.length === 0;
    const span = niceSpan(Math.max(...turns.slice(0, SCALED_BY).map((t) => t.machineMs), 1));
    scale.replaceChildren(...[0, 0.5, 1].map((part) => h("span", { text: part ? millis(span * part).replace(/\.0+ /, " ") : "0" })));
    const live = new Set(turns.map((t) => t.turn));
    for (const key of rows.keys()) if (!live.has(key)) rows.delete(key);
    const wanted = turns.map((turn) => {
      let row = rows.get(turn.turn);
      if (!row) rows.set(turn.turn, (row = turnRow()));
      row.update(turn, span);
      return row;
    });
    wanted.forEach((row, i) => { if (list.children[i] !== row) list.insertBefore(row, list.children[i] ?? null); });
    while (list.children.length > wanted.length) list.lastChild.remove();
  }
  return root;
}

// One turn. The bar is for the eye and for the pointer; the table below it has
// the same numbers, is always there for a screen reader, and shows for
// everybody while the row has the keyboard's focus or is opened.
function turnRow() {
  const head = h("button", { type: "button", class: "turn-head", "aria-expanded": "false", onClick: () => {
    const open = item.classList.toggle("open");
    head.setAttribute("aria-expanded", String(open));
  } });
  const bar = h("div", { class: "turn-bar" });
  const chips = h("div", { class: "chips", "aria-hidden": "true" });
  const details = h("div", { class: "turn-table" });
  const item = h("li", { class: "turn", "data-testid": "timeline-turn" }, head, bar, chips, details);
  let drawn = "";

  item.update = (turn, span) => {
    const key = JSON.stringify([turn.stages.length, turn.stages.map((s) => s.ms), span]);
    if (key === drawn) return;
    drawn = key;
    const bad = turn.stages.some((s) => s.group === "fault");
    item.dataset.turn = turn.turn;
    item.dataset.outcome = turn.outcome.stage;
    item.classList.toggle("bad", bad);
    head.replaceChildren(
      h("span", { class: "turn-time", text: timeOfDayPrecise(turn.start) }),
      h("span", { class: "turn-outcome", text: turn.outcome.name }),
      h("strong", { text: millis(turn.machineMs) }));
    bar.replaceChildren(waterfall(turn, span));
    chips.replaceChildren(...turn.stages.map((s) => {
      const chip = h("span", { class: "chip", dataset: { stage: s.stage, group: s.group } }, h("i", { dataset: { group: s.group } }), s.name, h("b", { text: millis(s.ms) }));
      chip.title = [`${s.name} at ${millis(s.ms)}, ${millis(s.took)} after the stage before`, s.detail].filter(Boolean).join("\n");
      return chip;
    }));
    details.replaceChildren(table(turn));
  };
  return item;
}

const HEIGHT = 14;
const WIDTH = 1000;

// Each stage is drawn from the end of the stage before to its own end: the
// colour says who the time went to. What the person does later, reading and
// playing, takes as long as the person likes and is left to the chips.
function waterfall(turn, span) {
  const x = (ms) => Math.min(WIDTH, (ms / span) * WIDTH);
  const shapes = [];
  let before = 0;
  for (const stage of turn.stages) {
    if (stage.group === "person") continue;
    const from = x(before);
    const width = Math.max(4, x(stage.ms) - from);
    const rect = svg("rect", { x: Math.min(from, WIDTH - 4), y: 0, width, height: HEIGHT, "data-group": stage.group });
    rect.append(svg("title", {}, [`${stage.name}: +${millis(stage.took)}, at ${millis(stage.ms)}`, stage.detail].filter(Boolean).join("\n")));
    shapes.push(rect);
    before = Math.max(before, stage.ms);
  }
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...shapes);
}

function table(turn) {
  const cell = (text) => h("td", { text });
  return h("table", {},
    h("caption", { text: `Stages of the turn of ${timeOfDayPrecise(turn.start)}` }),
    h("thead", {}, h("tr", {}, ...["Stage", "At", "Took", "Detail"].map((t) => h("th", { scope: "col", text: t })))),
    h("tbody", {}, ...turn.stages.map((s) => h("tr", {}, h("th", { scope: "row" }, h("i", { dataset: { group: s.group }, "aria-hidden": "true" }), s.name), cell(millis(s.ms)), cell(`+${millis(s.took)}`), cell(s.detail)))));
}
