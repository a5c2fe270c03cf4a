// Speaking to people who do not see the page, and the two kinds of pop-up:
// dialogs and menus, both usable by keyboard alone.

import { h, icon, iconButton } from "./dom.js";

const MAX_SPOKEN = 20; // lines kept in the live region
const TOAST_MS = 9000;

/** announce has a line read out when the reader has nothing else to say. */
export function announce(line) {
  const region = document.getElementById("announcer");
  region.append(h("p", { text: line }));
  while (region.children.length > MAX_SPOKEN) region.firstChild.remove();
}

/** toast shows a sentence that matters now: a refusal, a failure. It is read out at once. */
export function toast(sentence, { good = false } = {}) {
  const box = document.getElementById("toasts");
  const dismiss = () => item.remove();
  const item = h("div", { class: `toast ${good ? "toast-good" : ""}`, "data-testid": "toast" }, icon(good ? "info" : "alert", 20), h("span", { text: sentence }), iconButton("close", "Dismiss", { onClick: dismiss }));
  box.append(item);
  while (box.children.length > 3) box.firstChild.remove();
  // Reading takes time: a toast stays while it is pointed at or focused.
  const leave = () => (item.matches(":hover, :focus-within") ? setTimeout(leave, 1500) : dismiss());
  setTimeout(leave, TOAST_MS);
}

/**
 * ask opens a modal dialog and resolves with the value of the pressed button,
 * "" when it was cancelled. buttons: {value, label, primary, testid, focus}.
 * The browser keeps the focus inside and gives it back afterwards.
 */
export function ask({ title, body, buttons, cancel = "Cancel", wide = false }) {
  return new Promise((resolve) => {
    const form = h("form", { method: "dialog" },
      h("h2", { text: title }),
      h("div", { class: "dialog-body" }, ...body),
      h("div", { class: "dialog-buttons" },
        h("button", { value: "", class: "quiet", formnovalidate: true, text: cancel }),
        ...buttons.map((b) => h("button", { value: b.value, class: b.primary ? "primary" : "quiet", "data-testid": b.testid, autofocus: b.focus, text: b.label }))));
    // Enter in a field presses the first submit button of a form: that has to be the main one.
    const main = buttons.find((b) => b.primary);
    if (main) form.prepend(h("button", { value: main.value, class: "visually-hidden", tabindex: "-1", "aria-hidden": "true", text: main.label }));
    const dialog = h("dialog", { class: wide ? "wide" : "", "aria-label": title }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    dialog.addEventListener("cancel", () => (dialog.returnValue = ""));
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** field is a labelled input for a dialog. */
export function field(label, input, hint = "") {
  return h("label", { class: "field" }, h("span", { text: label }), input, hint ? h("small", { text: hint }) : null);
}

let openOne = null;

/**
 * openMenu shows a menu beside its anchor. entries: {label, icon, act}, or
 * {row: [{label, text, act}]} for a line of small choices. Arrow keys, Home,
 * End move; Escape or a click elsewhere closes; the focus goes back.
 */
export function openMenu(anchor, entries, label) {
  openOne?.hidePopover();
  const before = document.activeElement;
  const choose = (act) => () => {
    menu.hidePopover();
    act();
  };
  const menu = h("div", { class: "menu", role: "menu", popover: "manual", "aria-label": label }, ...entries.map((entry) => (entry.row
    ? h("div", { class: "menu-row", role: "group", "aria-label": entry.label }, ...entry.row.map((e) => h("button", { type: "button", role: "menuitem", tabindex: "-1", "aria-label": e.label, title: e.label, text: e.text, onClick: choose(e.act) })))
    : h("button", { type: "button", role: "menuitem", tabindex: "-1", onClick: choose(entry.act) }, icon(entry.icon, 20), h("span", { text: entry.label })))));
  document.body.append(menu);
  menu.showPopover();
  openOne = menu;

  // The menu is in the top layer: place it by hand, inside the window.
  const a = anchor.getBoundingClientRect();
  const m = menu.getBoundingClientRect();
  const left = a.left + m.width > innerWidth - 8 ? a.right - m.width : a.left;
  const top = a.bottom + m.height + 4 > innerHeight ? a.top - m.height - 4 : a.bottom + 4;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - m.width - 8))}px`;
  menu.style.top = `${Math.max(8, top)}px`;

  const items = [...menu.querySelectorAll("button")];
  items[0]?.focus();
  menu.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Tab" || event.key === "Escape") menu.hidePopover();
    if (event.key === "Escape") event.stopPropagation();
    if (to === undefined) return;
    event.preventDefault();
    items[(to + items.length) % items.length].focus();
  });
  // Closed by hand, because the browser's own way takes the finger that is
  // lifted after a long press for a tap beside the menu.
  const outside = new AbortController();
  const close = (event) => { if (!menu.contains(event.target)) menu.hidePopover(); };
  document.addEventListener("pointerdown", close, { capture: true, signal: outside.signal });
  document.addEventListener("wheel", close, { capture: true, passive: true, signal: outside.signal });
  addEventListener("resize", () => menu.hidePopover(), { signal: outside.signal });
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    outside.abort();
    if (menu.contains(document.activeElement) || document.activeElement === document.body) before?.focus?.();
    menu.remove();
    if (openOne === menu) openOne = null;
  });
}
