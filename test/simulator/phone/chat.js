// One phone: a person's chat with the business.

import { toast } from "./a11y.js";
import * as api from "./api.js";
import { bubble } from "./bubbles.js";
import { composer } from "./composer.js";
import { avatar } from "./content.js";
import { h, icon, iconButton } from "./dom.js";
import { dayKey, dayName } from "./format.js";
import { openMessageMenu } from "./messagemenu.js";
import { reactionsOf } from "./reactions.js";
import { ReadWatcher } from "./receipts.js";
import { showPicture } from "./share.js";

const SHOWN = 150; // messages drawn at first; older ones on request
const NEAR_END = 80; // px from the bottom that still count as reading the newest

/** ChatPane draws one phone. actions: {show(user), back(), togglePanel()}. */
export class ChatPane {
  #store;
  #outbox;
  #rows = new Map(); // message id -> bubble
  #days = new Map(); // day -> separator
  #shown = SHOWN;
  #stops = [];
  #resize;

  constructor(store, outbox, user, actions) {
    this.#store = store;
    this.#outbox = outbox;
    this.user = user;
    const business = store.business.name;

    this.whose = h("span", { class: "whose only-narrow" });
    this.online = h("span", {});
    this.state = h("p", { class: "chat-state" }, this.whose, this.online);
    this.person = h("select", { class: "chat-person", "aria-label": "Whose phone this is", onChange: () => actions.show(this.person.value) });
    const head = h("header", { class: "chat-head" },
      iconButton("back", "Back to the people", { class: "only-narrow", onClick: actions.back }),
      avatar(business, { picture: "store" }),
      h("div", { class: "chat-title" }, h("h2", { text: business }), this.state),
      this.person,
      iconButton("bars", "Timeline and switches", { class: "panel-toggle", "data-testid": "panel-toggle", onClick: actions.togglePanel }));

    this.typing = h("li", { class: "row first typing-row", "data-testid": "typing", "aria-label": `${business} is typing` },
      h("div", { class: "bubble typing-bubble" }, h("i"), h("i"), h("i")));
    this.invite = h("div", { class: "invite" }, icon("mic", 26),
      h("p", { text: "Ask something: type it, or press the microphone and say it. The bot answers in this chat." }));
    this.older = h("button", { type: "button", class: "older", hidden: true, text: "Show earlier messages", onClick: () => this.#showOlder() });
    this.list = h("ol", { class: "messages", role: "list", "aria-label": "Messages. Up and down move between them, Enter opens the menu of one.", onKeydown: (e) => this.#onKey(e) });
    this.scroll = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Chat with ${business}`, onScroll: () => this.#onScroll() },
      h("p", { class: "hint", text: "A simulated WhatsApp. What you send goes to the bot as a signed webhook; nothing reaches WhatsApp itself." }),
      this.invite, this.older, this.list);
    this.jump = h("button", { type: "button", class: "jump", hidden: true, "aria-label": "Go to the newest message", onClick: () => this.toEnd() }, "↓");
    this.line = composer(user, outbox, { business });
    this.el = h("section", { class: "phone", dataset: { user }, "data-testid": "phone" },
      head, h("div", { class: "chat-body" }, this.scroll, this.jump), this.line);

    this.#dropTarget();
    this.watcher = new ReadWatcher(store, user, this.scroll);
    this.#stops.push(
      store.on("messages", (who) => who === user && this.draw()),
      store.on("typing", (who) => who === user && this.#drawTyping()),
      store.on("users", () => this.#drawPeople()),
      store.on("link", () => this.#drawTyping()),
    );
    // A phone keyboard, or a growing text box, must not push the newest message out of sight.
    this.#resize = new ResizeObserver(() => this.#atEnd && this.toEnd());
    this.#resize.observe(this.scroll);
    this.#drawPeople();
    this.draw();
    this.#drawTyping();
  }

  #atEnd = true;

  #onScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    this.jump.hidden = this.#atEnd;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  #showOlder() {
    const fromEnd = this.scroll.scrollHeight - this.scroll.scrollTop;
    this.#shown += SHOWN;
    this.draw();
    this.scroll.scrollTop = this.scroll.scrollHeight - fromEnd; // what was on the screen stays there
  }

  #env() {
    const { user } = this;
    return {
      me: this.#store.users.get(user) ?? { name: "You" },
      businessName: this.#store.business.name,
      find: (id) => this.#store.message(user, id),
      jump: (id) => this.#jumpTo(id),
      retry: (msg) => msg.retry(),
      openMenu: (msg, anchor) => openMessageMenu(msg, anchor, { store: this.#store, outbox: this.#outbox, reply: (m) => this.line.replyTo(m) }),
      onPicture: showPicture,
      onTrouble: toast,
      onChoose: (msg, { kind, reply }) => this.#outbox.raw(user, { type: "interactive", interactive: { type: kind, [kind]: reply }, context: { id: msg.id } }, reply.title),
      onPlayed: ({ id }) => {
        const msg = this.#store.message(user, id);
        if (msg?.direction !== "out" || !msg.media?.voice || msg.status === "played" || msg.status === "failed") return;
        api.markPlayed(user, msg.id).catch((err) => toast(err.message));
      },
    };
  }

  /** draw brings the list in line with the store, touching only what changed. */
  draw() {
    let stick = this.#atEnd;
    const all = this.#store.list(this.user);
    const reactions = reactionsOf(all);
    const bubbles = all.filter((m) => m.type !== "reaction");
    const visible = bubbles.slice(-this.#shown);
    this.older.hidden = visible.length === bubbles.length;
    this.invite.hidden = bubbles.length > 0;

    const wanted = [];
    const keep = new Set();
    let before = null;
    for (const msg of visible) {
      if (!before || dayKey(before.at) !== dayKey(msg.at)) {
        wanted.push(this.#day(msg.at));
        before = null; // a new day starts a new group
      }
      let row = this.#rows.get(msg.id);
      if (!row) {
        this.#rows.set(msg.id, (row = bubble(msg, this.#env())));
        if (msg.local) stick = true; // whoever sends wants to see it go
      }
      row.update(msg, { first: before?.direction !== msg.direction, reactions: reactions.get(msg.id) ?? [] });
      this.watcher.watch(row, msg);
      keep.add(msg.id);
      wanted.push(row);
      before = msg;
    }
    for (const [id, row] of this.#rows) {
      if (keep.has(id)) continue;
      row.release();
      this.watcher.forget(row);
      this.#rows.delete(id);
    }
    place(this.list, wanted, this.typing);
    // One bubble is in the tab order; the arrow keys move on from there.
    if (!this.list.querySelector("[data-testid=bubble][tabindex='0']")) this.#lastRow()?.setAttribute("tabindex", "0");
    if (stick) this.toEnd();
    this.#onScroll();
  }

  #lastRow() {
    return [...this.#rows.values()].filter((r) => r.isConnected).pop();
  }

  #day(at) {
    const key = dayKey(at);
    if (!this.#days.has(key)) this.#days.set(key, h("li", { class: "day" }, h("span", { text: dayName(at) })));
    return this.#days.get(key);
  }

  #drawTyping() {
    const on = this.#store.isTyping(this.user);
    this.online.textContent = !this.#store.linked ? "connecting…" : on ? "typing…" : "online";
    this.online.classList.toggle("busy", on);
    if (on && !this.typing.isConnected) this.list.append(this.typing);
    if (!on) this.typing.remove();
    if (on && this.#atEnd) this.toEnd();
  }

  #drawPeople() {
    const people = [...this.#store.users.values()];
    this.person.replaceChildren(...people.map((u) => h("option", { value: u.id, text: u.name, selected: u.id === this.user })));
    this.person.value = this.user;
    const name = this.#store.users.get(this.user)?.name ?? "";
    this.el.setAttribute("aria-label", `Phone of ${name || this.user}`);
    this.person.title = `This is ${name}'s phone`;
    this.whose.textContent = `${name} · `;
  }

  #jumpTo(id) {
    const row = this.#rows.get(id);
    if (!row) return toast("This message is further up. Show earlier messages first.");
    row.scrollIntoView({ block: "center" });
    this.#focusRow(row);
    row.classList.add("flash");
    setTimeout(() => row.classList.remove("flash"), 1600);
  }

  #focusRow(row) {
    for (const other of this.list.querySelectorAll("[data-testid=bubble][tabindex='0']")) other.tabIndex = -1;
    row.tabIndex = 0;
    row.focus();
  }

  #onKey(event) {
    const row = event.target.closest("[data-testid=bubble]");
    if (!row) return;
    if ((event.key === "Enter" || event.key === "ContextMenu") && event.target === row) {
      event.preventDefault();
      return row.querySelector(".bubble-menu").click();
    }
    const rows = [...this.list.querySelectorAll("[data-testid=bubble]")];
    const at = rows.indexOf(row);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined || !rows[to]) return;
    event.preventDefault();
    this.#focusRow(rows[to]);
  }

  #dropTarget() {
    this.el.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      this.el.classList.add("drop");
    });
    this.el.addEventListener("dragleave", (event) => { if (!this.el.contains(event.relatedTarget)) this.el.classList.remove("drop"); });
    this.el.addEventListener("drop", (event) => {
      this.el.classList.remove("drop");
      const [file] = event.dataTransfer.files;
      if (!file) return;
      event.preventDefault();
      this.line.attach(file);
    });
  }

  /** release stops the pane's listeners and players; it is then out of use. */
  release() {
    for (const stop of this.#stops) stop();
    for (const row of this.#rows.values()) row.release();
    this.#resize.disconnect();
    this.watcher.release();
    this.line.release();
    this.el.remove();
  }
}

// place makes the list's children be exactly these, moving as few as possible; last stays last when it is there.
function place(list, wanted, last) {
  const set = new Set(wanted);
  for (const child of [...list.children]) if (child !== last && !set.has(child)) child.remove();
  let at = list.firstChild;
  for (const node of wanted) {
    if (node === at) at = at.nextSibling;
    else list.insertBefore(node, at);
  }
  if (last.isConnected && list.lastChild !== last) list.append(last);
}
