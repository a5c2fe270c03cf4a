// The people on the left: who they are, their last message, what is unread.

import { toast } from "./a11y.js";
import * as api from "./api.js";
import { avatar } from "./content.js";
import { h, icon, iconButton } from "./dom.js";
import { address, dayKey, dayName, summary, timeOfDay } from "./format.js";
import { askPerson } from "./share.js";

/** userList fills the column. actions: {show(user), setPhones(n), notices(), phones(), shown()}. */
export function userList(root, store, actions) {
  const list = h("ul", { class: "user-list", role: "list", "data-testid": "user-list" });
  const title = h("h2", { text: "Simulated WhatsApp" });
  const line = h("p", { class: "people-business" });
  const layout = h("div", { class: "layout-switch", role: "group", "aria-label": "Phones side by side" },
    ...["one", "two", "three"].map((shape, i) => iconButton(shape, `${i + 1} phone${i ? "s" : ""} side by side`, { dataset: { phones: String(i + 1) }, onClick: () => actions.setPhones(i + 1) })));
  root.append(
    h("header", { class: "people-head" },
      h("div", { class: "people-title" }, title, line),
      iconButton("info", "Notices", { "data-testid": "show-notices", onClick: actions.notices }),
      iconButton("addperson", "Add person", { "data-testid": "add-user", onClick: add })),
    h("nav", { class: "people-list", "aria-label": "People" }, list),
    h("footer", { class: "people-foot" }, h("span", { text: "Side by side" }), layout));

  async function add() {
    const person = await askPerson();
    if (!person) return;
    try {
      const user = await api.addUser(person);
      store.apply("user", user);
      actions.show(user.id);
    } catch (err) {
      toast(err.message);
    }
  }

  const rows = new Map(); // user -> its parts, kept so that the focus stays
  function row(user) {
    let parts = rows.get(user.id);
    if (parts) return parts;
    parts = {
      name: h("strong", {}), last: h("span", { class: "user-last" }), time: h("time", {}), unread: h("span", { class: "unread", hidden: true }),
    };
    parts.button = h("button", { type: "button", class: "user", dataset: { user: user.id }, onClick: () => actions.show(user.id) },
      avatar(user.name, { size: "l" }),
      h("span", { class: "user-text" }, h("span", { class: "user-top" }, parts.name, parts.time), h("span", { class: "user-bottom" }, parts.last, parts.unread)));
    parts.item = h("li", {}, parts.button);
    rows.set(user.id, parts);
    return parts;
  }

  function draw() {
    line.replaceChildren(icon("store", 16), h("span", { text: store.business.name }));
    line.title = [store.business.name, store.business.phone && `+${String(store.business.phone).replace(/^\+/, "")}`, store.business.phone_number_id].filter(Boolean).join("\n");
    const wanted = [...store.users.values()].map((user) => {
      const parts = row(user);
      const messages = store.list(user.id);
      const last = messages[messages.length - 1];
      const unread = store.unseenCount(user.id);
      const shown = actions.shown().includes(user.id);
      parts.name.textContent = user.name;
      parts.last.textContent = store.isTyping(user.id) ? "typing…" : last ? `${last.direction === "in" ? "You: " : ""}${summary(last)}` : address(user);
      parts.last.classList.toggle("busy", store.isTyping(user.id));
      parts.time.textContent = last ? (dayKey(last.at) === dayKey(Date.now()) ? timeOfDay(last.at) : dayName(last.at)) : "";
      parts.unread.hidden = unread === 0;
      parts.unread.textContent = String(unread);
      parts.unread.setAttribute("aria-label", `${unread} unread`);
      parts.button.title = [user.name, address(user), user.user_id].filter(Boolean).join("\n");
      parts.button.classList.toggle("shown", shown);
      parts.button.setAttribute("aria-current", String(shown));
      return parts.item;
    });
    if (wanted.length !== list.children.length || wanted.some((item, i) => list.children[i] !== item)) list.replaceChildren(...wanted);
    const unread = [...store.users.keys()].reduce((sum, user) => sum + store.unseenCount(user), 0);
    document.title = `${unread ? `(${unread}) ` : ""}Simulated WhatsApp`;
    for (const button of layout.children) button.setAttribute("aria-pressed", String(Number(button.dataset.phones) === actions.phones()));
  }

  for (const name of ["users", "messages", "typing", "business"]) store.on(name, draw);
  return { draw };
}
