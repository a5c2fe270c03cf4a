// What the page knows: people, messages, who is typing, turns, switches.
//
// The store is the only place that changes this; the views read it and listen:
//   business, notices, users, faults, webhooks, link   (no detail)
//   messages, typing                                   (detail: user id)
//   timeline                                           (detail: user id)
//   arrived                                            (detail: a new message of the bot)

import { addEvent } from "./timeline.js";

const MAX_WEBHOOKS = 60; // deliveries remembered for the strip
const MAX_TURNS = 300;
const TYPING_MS = 25_000; // WhatsApp shows it for so long at most
const SEEN_KEY = "phone.seen";
const MAX_SEEN = 2000;

export class Store extends EventTarget {
  business = { name: "Business", phone: "", phone_number_id: "" };
  notices = [];
  faults = null;
  users = new Map();
  turns = new Map(); // turn id -> turn, in order of first sight
  webhooks = [];
  linked = false;

  #messages = new Map(); // user -> Map(id -> {msg, seq})
  #sorted = new Map(); // user -> sorted array, dropped on change
  #typing = new Map(); // user -> {timer}
  #seq = 0;
  // Kept for the tab, because a switch may drop the `read` status and then the
  // server's own record never says that the person has looked.
  #seen = new Set(JSON.parse(sessionStorage.getItem(SEEN_KEY) ?? "[]"));

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  on(name, listener) {
    const wrapped = (event) => listener(event.detail);
    this.addEventListener(name, wrapped);
    return () => this.removeEventListener(name, wrapped);
  }

  /** replace takes the whole state of /sim/state. Local, unsent messages stay. */
  replace(state) {
    this.business = { ...this.business, ...state.business };
    this.notices = state.notices ?? [];
    this.faults = state.faults ?? null;
    this.users = new Map((state.users ?? []).map((u) => [u.id, u]));
    for (const [user, known] of this.#messages) {
      for (const [id, { msg }] of known) if (!msg.local) known.delete(id);
      this.#sorted.delete(user);
    }
    for (const list of Object.values(state.messages ?? {})) for (const msg of list ?? []) this.#keep(msg);
    this.turns.clear();
    for (const event of state.timeline ?? []) addEvent(this.turns, event, MAX_TURNS);
    for (const name of ["business", "notices", "users", "faults"]) this.emit(name);
    for (const user of this.users.keys()) this.emit("messages", user);
    this.emit("timeline", null);
  }

  /** apply takes one event of the stream. */
  apply(name, data) {
    if (name === "user") {
      this.users.set(data.id, data);
      this.emit("users");
    } else if (name === "message") {
      this.putMessage(data);
    } else if (name === "typing") {
      this.setTyping(data);
    } else if (name === "timeline") {
      addEvent(this.turns, data, MAX_TURNS);
      this.emit("timeline", data.user);
    } else if (name === "faults") {
      this.faults = data;
      this.emit("faults");
    } else if (name === "webhook") {
      this.webhooks.push(data);
      if (this.webhooks.length > MAX_WEBHOOKS) this.webhooks.shift();
      this.emit("webhooks");
    }
  }

  setLinked(on) {
    if (this.linked === on) return;
    this.linked = on;
    this.emit("link");
  }

  #keep(msg) {
    let known = this.#messages.get(msg.user);
    if (!known) this.#messages.set(msg.user, (known = new Map()));
    const old = known.get(msg.id);
    known.set(msg.id, { msg, seq: old?.seq ?? ++this.#seq });
    this.#sorted.delete(msg.user);
    return !old;
  }

  /** putMessage adds a message, or replaces the one with the same id. */
  putMessage(msg) {
    const fresh = this.#keep(msg);
    if (fresh && msg.direction === "in" && !msg.local) this.#settleLocal(msg);
    if (fresh && msg.direction === "out") {
      if (msg.type !== "reaction") this.setTyping({ user: msg.user, on: false });
      this.emit("arrived", msg);
    }
    this.emit("messages", msg.user);
  }

  /**
   * acceptMessage takes the simulator's answer to a send. Events that came
   * first are newer than the answer: a message already known stays as it is.
   */
  acceptMessage(msg) {
    if (!this.message(msg.user, msg.id)) this.putMessage(msg);
  }

  // The event of an accepted message can overtake the answer to the POST that
  // made it: the oldest unsent local copy of the same kind and text is it.
  #settleLocal(msg) {
    for (const [id, { msg: local }] of this.#messages.get(msg.user)) {
      if (local.local && local.status === "sending" && local.type === msg.type && (local.text ?? "") === (msg.text ?? "")) {
        this.dropMessage(msg.user, id);
        return;
      }
    }
  }

  dropMessage(user, id) {
    if (!this.#messages.get(user)?.delete(id)) return;
    this.#sorted.delete(user);
    this.emit("messages", user);
  }

  message(user, id) {
    return this.#messages.get(user)?.get(id)?.msg;
  }

  /** list gives a person's messages by time, then by arrival. */
  list(user) {
    let sorted = this.#sorted.get(user);
    if (!sorted) {
      sorted = [...(this.#messages.get(user)?.values() ?? [])]
        .sort((a, b) => a.msg.at - b.msg.at || a.seq - b.seq)
        .map((entry) => entry.msg);
      this.#sorted.set(user, sorted);
    }
    return sorted;
  }

  /** setTyping shows the business typing until a moment, or stops it. */
  setTyping({ user, on, until }) {
    clearTimeout(this.#typing.get(user)?.timer);
    if (on) {
      // A phone whose clock is off must still show it: such an end is not believed.
      const told = (until ?? 0) - Date.now();
      const left = told > 0 && told <= TYPING_MS ? told : TYPING_MS;
      this.#typing.set(user, { timer: setTimeout(() => this.setTyping({ user, on: false }), left) });
    } else if (!this.#typing.delete(user)) {
      return;
    }
    this.emit("typing", user);
  }

  isTyping(user) {
    return this.#typing.has(user);
  }

  /** isUnseen: the person has this message on the phone and has not looked. */
  isUnseen(msg) {
    return msg.direction === "out" && msg.type !== "reaction" && !["read", "played", "failed"].includes(msg.status) && !this.#seen.has(msg.id);
  }

  markSeen(user, ids) {
    for (const id of ids) this.#seen.add(id);
    const keep = [...this.#seen].slice(-MAX_SEEN);
    this.#seen = new Set(keep);
    try {
      sessionStorage.setItem(SEEN_KEY, JSON.stringify(keep));
    } catch {
      // No room: after a reload a message may count as unread once more.
    }
    this.emit("users");
  }

  unseenCount(user) {
    return this.list(user).filter((m) => this.isUnseen(m)).length;
  }
}
