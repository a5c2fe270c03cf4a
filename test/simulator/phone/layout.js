// Which phones are on the screen, and where: one, two or three side by side on
// a wide screen; a list or one chat on a narrow one. The address's hash holds
// the people shown, so that a reload and the back button keep their place.

import { ChatPane } from "./chat.js";

const NARROW = matchMedia("(max-width: 760px)");
const COARSE = matchMedia("(pointer: coarse)");
const PANEL_FROM = 1080; // px; from here on the panel is open at first
const PANEL_BESIDE = 1500; // px; three phones leave room for it only from here on

export class Layout {
  #store;
  #outbox;
  #root;
  #panes = [];
  #active = 0;
  #started = false;
  onChange = () => {}; // called when the people shown, or the one looked at, have changed

  constructor(store, outbox, root) {
    this.#store = store;
    this.#outbox = outbox;
    this.#root = root;
    addEventListener("hashchange", () => this.#fromHash());
    NARROW.addEventListener("change", () => this.#draw());
    this.setPanel(innerWidth >= PANEL_FROM);
  }

  get users() {
    return this.#panes.map((p) => p.user);
  }

  /** active is the person whose phone was touched last; the timeline is theirs. */
  get active() {
    return this.#panes[this.#active]?.user ?? null;
  }

  /** start shows the people of the hash, else the first; on a narrow screen with several people, the list. */
  start() {
    const [first] = this.#store.users.keys();
    if (!this.#fromHash() && first && (!NARROW.matches || this.#store.users.size === 1)) this.#show([first]);
    else this.#draw();
  }

  /** forget closes the phones of people who are gone, as after a restart of the simulator. */
  forget() {
    const known = this.users.filter((user) => this.#store.users.has(user));
    if (known.length === this.#panes.length) return;
    if (known.length) this.#show(known);
    else this.start();
  }

  #fromHash() {
    const ids = decodeURIComponent(location.hash.slice(1)).split(",").filter((id) => this.#store.users.has(id)).slice(0, 3);
    if (ids.length) this.#show([...new Set(ids)]);
    else if (NARROW.matches) this.#show([]);
    return ids.length > 0;
  }

  /** show puts a person on the phone that is looked at, or turns to the phone they are already on. */
  show(user) {
    const users = this.users;
    const at = users.indexOf(user);
    if (at >= 0) {
      this.#activate(at);
    } else {
      users[Math.min(this.#active, Math.max(0, users.length - 1))] = user;
      this.#show(users);
    }
    if (!COARSE.matches) this.#panes[this.#active]?.line.focusText();
  }

  /** setPhones shows n phones, with people who are not on the screen yet; it gives how many there could be. */
  setPhones(n) {
    const others = [...this.#store.users.keys()].filter((u) => !this.users.includes(u));
    const users = [...this.users, ...others].slice(0, n);
    this.#show(users);
    return users.length;
  }

  get phones() {
    return Math.max(1, this.#panes.length);
  }

  back() {
    this.#show([]);
    document.querySelector("#people .user")?.focus();
  }

  setPanel(open) {
    document.body.dataset.panel = open ? "open" : "closed";
  }

  togglePanel() {
    this.setPanel(document.body.dataset.panel !== "open");
    const open = document.body.dataset.panel === "open";
    if (open && innerWidth < PANEL_FROM) document.querySelector("#panel button")?.focus();
    return open;
  }

  #show(users) {
    const wanted = NARROW.matches ? users.slice(0, 1) : users;
    const old = new Map(this.#panes.map((p) => [p.user, p]));
    // The panel would lie over the third phone; it can still be opened.
    if (wanted.length === 3 && old.size < 3 && innerWidth < PANEL_BESIDE) this.setPanel(false);
    this.#panes = wanted.map((user) => {
      const pane = old.get(user);
      old.delete(user);
      return pane ?? this.#pane(user);
    });
    for (const pane of old.values()) pane.release();
    this.#active = Math.max(0, Math.min(this.#active, this.#panes.length - 1));
    const hash = wanted.length ? `#${wanted.map(encodeURIComponent).join(",")}` : "";
    // Only on a narrow screen is another chat another place to come back from.
    const write = NARROW.matches && this.#started ? "pushState" : "replaceState";
    if (hash !== location.hash) history[write](null, "", hash || location.pathname);
    this.#started = true;
    this.#draw();
  }

  #pane(user) {
    const pane = new ChatPane(this.#store, this.#outbox, user, {
      show: (other) => {
        this.#activate(this.#panes.indexOf(pane));
        this.show(other);
        pane.person.value = user; // the other one may be on another phone already
      },
      back: () => this.back(),
      togglePanel: () => this.togglePanel(),
    });
    for (const name of ["focusin", "pointerdown"]) pane.el.addEventListener(name, () => this.#activate(this.#panes.indexOf(pane)));
    return pane;
  }

  #activate(at) {
    if (at < 0 || at === this.#active) return;
    this.#active = at;
    this.#draw();
  }

  #draw() {
    const wanted = this.#panes.map((p) => p.el);
    const stale = wanted.length !== this.#root.children.length || wanted.some((el, i) => this.#root.children[i] !== el);
    if (stale) {
      this.#root.replaceChildren(...wanted);
      for (const pane of this.#panes) pane.toEnd();
    }
    this.#panes.forEach((pane, i) => pane.el.classList.toggle("active", i === this.#active));
    document.body.dataset.phones = String(this.#panes.length);
    document.body.dataset.view = this.#panes.length ? "chat" : "list";
    this.onChange();
  }
}
