// One message on the screen: the frame around its content, with the time, the
// state, the quoted message, reactions, and the error when it failed.

import { content } from "./content.js";
import { h, icon, ticks } from "./dom.js";
import { summary, timeOfDay } from "./format.js";

const STATUS_WORDS = { sending: "Sending", sent: "Sent", delivered: "Delivered", read: "Read", played: "Played", failed: "Failed" };

/** shownStatus is the state a tick stands for: the bot's read receipt turns a person's message "read". */
export const shownStatus = (msg) => (msg.direction === "in" && msg.blue && msg.status !== "failed" ? "read" : msg.status);

function statusMark(msg) {
  const status = shownStatus(msg);
  const words = STATUS_WORDS[status] ?? status ?? "";
  const voice = msg.type === "audio" && msg.media?.voice;
  let mark;
  if (status === "sending") mark = icon("clock", 14);
  else if (status === "failed") mark = icon("alert", 15);
  else if (status === "played" && voice) mark = icon("mic", 15);
  else mark = ticks(status === "sent" ? 1 : 2);
  const label = msg.direction === "in" ? words : `The business sees: ${words.toLowerCase()}`;
  return h("span", { class: "ticks", role: "img", "aria-label": label, title: label, dataset: { state: status ?? "" } }, mark);
}

/** quote is the small copy of the message that is answered. */
export function quote(msg, names, onJump) {
  const mine = msg?.direction === "in";
  const who = !msg ? "Message" : mine ? "You" : names.business;
  const line = msg ? summary(msg) : "This message is not on the phone any more";
  return h(onJump ? "button" : "div", { type: onJump ? "button" : null, class: `quote ${mine ? "quote-mine" : ""}`, onClick: onJump, "aria-label": onJump ? `In reply to ${who}: ${line}. Go to it` : null },
    h("strong", { text: who }), h("span", { text: line }));
}

// Only these make new content; all else is changed in place, so that a voice
// note that plays is not torn out when its ticks turn blue.
const contentKey = (msg) => JSON.stringify([msg.type, msg.text, msg.media?.id, msg.context_id, msg.type === "audio" ? 0 : msg.raw]);

/**
 * bubble builds the list item of one message. It has update(msg, {first,
 * reactions}) and release(). env is that of content(), and find(id), jump(id),
 * retry(msg), openMenu(msg, anchor).
 */
export function bubble(msg, env) {
  const body = h("div", { class: "body" });
  const time = h("time", {});
  const meta = h("span", { class: "meta" }, time);
  const error = h("div", { class: "error-line", hidden: true });
  const reacted = h("div", { class: "reactions", hidden: true });
  const menu = h("button", { type: "button", class: "bubble-menu", tabindex: "-1", "aria-label": "Message menu", title: "Message menu", "aria-haspopup": "menu", onClick: () => env.openMenu(item.message, menu) }, icon("down", 18));
  const frame = h("div", { class: "bubble" }, menu, body, meta, reacted);
  const item = h("li", { class: "row", "data-testid": "bubble", tabindex: "-1" }, frame, error);
  let key = "";
  let markKey = "";

  item.update = (msg, { first, reactions }) => {
    item.message = msg;
    const direction = msg.direction;
    Object.assign(item.dataset, { id: msg.id, direction, type: msg.type, status: shownStatus(msg) ?? "", voice: String(msg.media?.voice === true) });
    item.classList.toggle("first", first);
    if (contentKey(msg) !== key) {
      release();
      key = contentKey(msg);
      const parts = content(msg, env);
      const quoted = msg.context_id ? quote(env.find(msg.context_id), { business: env.businessName }, () => env.jump(msg.context_id)) : null;
      body.replaceChildren(...(quoted ? [quoted] : []), ...parts);
      frame.dataset.type = msg.type;
    }
    time.dateTime = new Date(msg.at).toISOString();
    time.textContent = timeOfDay(msg.at);
    if (markKey !== `${shownStatus(msg)}`) {
      markKey = `${shownStatus(msg)}`;
      meta.replaceChildren(time, statusMark(msg));
    }
    showError(msg);
    showReactions(reactions);
    const who = direction === "in" ? "You" : env.businessName;
    item.setAttribute("aria-label", `${who}, ${time.textContent}, ${STATUS_WORDS[shownStatus(msg)] ?? ""}: ${summary(msg)}`);
  };

  function showError(msg) {
    error.hidden = msg.status !== "failed";
    if (error.hidden) return error.replaceChildren();
    const words = msg.error?.title || "Not delivered";
    const code = msg.error?.code ? ` (${msg.error.code})` : "";
    error.replaceChildren(icon("alert", 16), h("span", { text: `${words}${code}` }),
      ...(msg.retry ? [h("button", { type: "button", class: "link", text: "Try again", onClick: () => env.retry(msg) })] : []));
  }

  function showReactions(reactions) {
    reacted.hidden = reactions.length === 0;
    item.classList.toggle("has-reactions", reactions.length > 0);
    const emojis = reactions.map((r) => r.emoji);
    if (reacted.textContent === emojis.join("")) return;
    reacted.replaceChildren(...emojis.map((e) => h("span", { text: e })));
    reacted.setAttribute("role", "img");
    reacted.setAttribute("aria-label", `Reactions: ${reactions.map((r) => `${r.emoji} from ${r.mine ? "you" : env.businessName}`).join(", ")}`);
  }

  function release() {
    for (const player of body.querySelectorAll(".voice")) player.release();
  }
  item.release = release;

  frame.addEventListener("contextmenu", (event) => {
    if (event.pointerType === "touch") return event.preventDefault(); // the long press below
    if (event.target.closest("a, img, video") && !event.shiftKey) return; // the browser's own menu is of use there
    event.preventDefault();
    env.openMenu(item.message, menu);
  });
  longPress(frame, () => env.openMenu(item.message, menu));
  return item;
}

const LONG_PRESS_MS = 500;

function longPress(el, act) {
  let timer = 0;
  const stop = () => clearTimeout(timer);
  el.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || event.target.closest(".voice-wave, button, a")) return;
    timer = setTimeout(act, LONG_PRESS_MS);
  });
  for (const name of ["pointerup", "pointermove", "pointercancel"]) el.addEventListener(name, stop);
}
