// The start: reads the state, opens the stream, puts the parts together.

import { announce, toast } from "./a11y.js";
import * as api from "./api.js";
import { iconButton, h } from "./dom.js";
import { faultsForm } from "./faults.js";
import { summary } from "./format.js";
import { Layout } from "./layout.js";
import { noticesBanner } from "./notices.js";
import { Outbox } from "./outbox.js";
import { Store } from "./store.js";
import { timelinePanel } from "./timelinepanel.js";
import { userList } from "./users.js";
import { webhookStrip } from "./webhooks.js";

const RETRY_MS = 2000; // between tries to read the state

const at = (id) => document.getElementById(id);
const store = new Store();
const layout = new Layout(store, new Outbox(store), at("phones"));
const notices = noticesBanner(at("notices"), store);

const people = userList(at("people"), store, {
  show: (user) => layout.show(user),
  shown: () => layout.users,
  phones: () => layout.phones,
  setPhones: (n) => {
    if (layout.setPhones(n) < n) toast("There are not enough people for that many phones. Add a person first.", { good: true });
  },
  notices: () => notices.show(),
});

const timeline = timelinePanel(store);
at("panel").append(
  h("div", { class: "panel-bar" }, iconButton("close", "Close the panel", { onClick: () => {
    layout.setPanel(false);
    document.querySelector(".phone.active .panel-toggle")?.focus();
  } })),
  h("div", { class: "panel-parts" }, timeline, webhookStrip(store), faultsForm(store)));

const drawTimeline = () => timeline.draw(layout.active);
layout.onChange = () => {
  people.draw();
  drawTimeline();
};
store.on("timeline", (user) => { if (user === null || user === layout.active) drawTimeline(); });
store.on("users", drawTimeline);
store.on("arrived", (msg) => {
  if (!started) return;
  const who = layout.users.length > 1 ? `${store.business.name} to ${store.users.get(msg.user)?.name ?? "somebody"}` : store.business.name;
  announce(`${who}: ${summary(msg)}`);
});
store.on("link", () => {
  at("link-banner").textContent = store.linked ? "" : "The connection to the simulator is lost. Trying again…";
  document.body.dataset.ready = String(store.linked && started);
});

let started = false; // the first state has been shown
let held = null; // events that came while the state was being read; null when none is being read
let stale = false; // the server asked for another reading meanwhile

// The stream opens first and its events wait until the state is there: so
// nothing falls between the two, and an event that the state already holds
// only says the same again.
async function readState() {
  if (held) {
    stale = true;
    return;
  }
  held = [];
  stale = false;
  try {
    const state = await api.readState();
    if (!(state.users ?? []).length) state.users = [await api.addUser({ name: "You" })];
    store.replace(state);
    for (const [name, data] of held) store.apply(name, data);
    held = null;
  } catch (err) {
    held = null;
    if (!started) at("link-banner").textContent = `${err.message} Trying again…`;
    setTimeout(readState, RETRY_MS);
    return;
  }
  if (started) layout.forget();
  else layout.start();
  started = true;
  document.body.dataset.ready = String(store.linked);
  if (stale) readState();
}

api.openEvents({
  onEvent: (name, data) => (held ? held.push([name, data]) : store.apply(name, data)),
  onOpen: () => {
    store.setLinked(true);
    // After every opening, not only the first: the simulator may have been restarted meanwhile.
    readState();
  },
  onReset: readState,
  onDown: () => {
    store.setLinked(false);
    if (!started) at("link-banner").textContent = "The simulator cannot be reached. Trying again…";
  },
});
