// What the server wants a person to know, such as which engines are only for a demo.

import { ask } from "./a11y.js";
import { h, icon, iconButton } from "./dom.js";

const KEY = "phone.notices.dismissed";

/** noticesBanner fills the banner. A dismissed text stays away, a new one comes back; show() opens them all at any time. */
export function noticesBanner(root, store) {
  const lines = () => store.notices.map((n) => h("li", { text: n }));

  function draw() {
    const text = store.notices.join("\n");
    root.hidden = !text || localStorage.getItem(KEY) === text;
    root.replaceChildren(icon("info", 20), h("ul", { role: "list", tabindex: "0", "aria-label": "Notices" }, ...lines()), iconButton("close", "Dismiss the notices", { onClick: () => {
      localStorage.setItem(KEY, text);
      root.hidden = true;
      document.querySelector("[data-testid=show-notices]")?.focus();
    } }));
  }

  store.on("notices", draw);
  return {
    show: () => ask({
      title: "Notices", cancel: "Close", buttons: [],
      body: [store.notices.length ? h("ul", { class: "notice-list" }, ...lines()) : h("p", { text: "There are no notices." })],
    }),
  };
}
