// Read receipts: what a person has had before their eyes is reported once.

import { toast } from "./a11y.js";
import * as api from "./api.js";

const GATHER_MS = 250; // several bubbles that come into view together make one call

/** ReadWatcher follows the bubbles of one phone. */
export class ReadWatcher {
  #store;
  #user;
  #visible = new Map(); // row -> message id
  #observer;
  #timer = 0;
  #look = () => this.#soon();

  constructor(store, user, root) {
    this.#store = store;
    this.#user = user;
    this.#observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        // Half of it, or, for a bubble taller than the phone, half of the phone.
        const half = entry.intersectionRatio >= 0.5 || entry.intersectionRect.height >= (entry.rootBounds?.height ?? Infinity) / 2;
        if (entry.isIntersecting && half) this.#visible.set(entry.target, entry.target.dataset.id);
        else this.#visible.delete(entry.target);
      }
      this.#soon();
    }, { root, threshold: [0, 0.25, 0.5, 1] });
    addEventListener("focus", this.#look);
    document.addEventListener("visibilitychange", this.#look);
  }

  watch(row, msg) {
    if (row.watched || !this.#store.isUnseen(msg)) return;
    row.watched = true;
    this.#observer.observe(row);
  }

  forget(row) {
    this.#observer.unobserve(row);
    this.#visible.delete(row);
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#report(), GATHER_MS);
  }

  #report() {
    // A tab in the background shows nothing to anybody.
    if (document.visibilityState !== "visible" || !document.hasFocus()) return;
    const list = this.#store.list(this.#user);
    const newest = list.findLastIndex((msg) => [...this.#visible.values()].includes(msg.id));
    for (const row of this.#visible.keys()) this.forget(row);
    // As in WhatsApp, whoever has seen a message has seen the ones above it.
    const ids = list.slice(0, newest + 1).filter((msg) => this.#store.isUnseen(msg)).map((msg) => msg.id);
    if (!ids.length) return;
    this.#store.markSeen(this.#user, ids);
    api.markRead(this.#user, ids).catch((err) => toast(err.message));
  }

  release() {
    clearTimeout(this.#timer);
    this.#observer.disconnect();
    removeEventListener("focus", this.#look);
    document.removeEventListener("visibilitychange", this.#look);
  }
}
