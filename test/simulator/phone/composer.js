// The line where a person writes, speaks, or attaches.

import { openMenu, toast } from "./a11y.js";
import { attachFile } from "./attach.js";
import { h, iconButton } from "./dom.js";
import { recordBar } from "./recordbar.js";
import { quote } from "./bubbles.js";
import { askContact, askLocation } from "./share.js";

const MAX_TEXT = 4096; // characters of one WhatsApp message
const MAX_HEIGHT = 132; // px, six lines

const drafts = new Map(); // user -> text left in the box when another person was shown

/**
 * composer builds the line for one person. outbox sends; names.business stands
 * over a quote. The element has replyTo(msg), focusText() and release().
 */
export function composer(user, outbox, names) {
  let answering = null;

  const text = h("textarea", {
    rows: "1", maxlength: String(MAX_TEXT), placeholder: "Message", "aria-label": "Type a message", dir: "auto",
    "data-testid": "composer-text", enterkeyhint: "send", autocomplete: "off", onInput: grow, onKeydown: onKey, onPaste,
  });
  text.value = drafts.get(user) ?? "";
  const file = h("input", { type: "file", class: "visually-hidden", tabindex: "-1", "aria-label": "File to send", "data-testid": "file-input", onChange: onFile });
  const plus = iconButton("plus", "Send a location or a contact", { "aria-haspopup": "menu", onClick: onPlus });
  const clip = iconButton("clip", "Attach a file", { onClick: () => file.click() });
  const send = iconButton("send", "Send", { class: "round", "data-testid": "composer-send", onClick: sendText });
  const mic = iconButton("mic", "Record a voice message", { class: "round", "data-testid": "composer-mic", onClick: record });
  const answer = h("div", { class: "answering", hidden: true });
  const line = h("div", { class: "composer-line" }, plus, clip, file, h("div", { class: "composer-box" }, text), send, mic);
  const root = h("div", { class: "composer", role: "group", "aria-label": "Write a message" }, answer, line);

  function grow() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, MAX_HEIGHT)}px`;
    text.classList.toggle("full", text.scrollHeight > MAX_HEIGHT);
    const empty = text.value.trim() === "";
    // Hiding the focused button would lose the keyboard's place.
    if (empty && document.activeElement === send) text.focus();
    send.hidden = empty;
    mic.hidden = !empty;
    drafts.set(user, text.value);
  }

  function onKey(event) {
    // While an input method composes, Enter belongs to it.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      sendText();
    } else if (event.key === "Escape" && answering) {
      root.replyTo(null);
    }
  }

  function sendText() {
    const body = text.value.trim();
    if (!body) return;
    outbox.text(user, body, answering?.id);
    text.value = "";
    root.replyTo(null);
    grow();
    text.focus();
  }

  function sendMedia(blob, options) {
    outbox.media(user, blob, { ...options, replyTo: answering?.id ?? "" });
    root.replyTo(null);
  }

  function onFile() {
    const [chosen] = file.files;
    file.value = ""; // so that the same file can be chosen again
    if (chosen) attachFile(chosen, sendMedia).then(() => clip.focus());
  }

  function onPaste(event) {
    const [pasted] = event.clipboardData?.files ?? [];
    if (!pasted) return;
    event.preventDefault();
    attachFile(pasted, sendMedia);
  }

  function onPlus() {
    openMenu(plus, [
      { label: "Location", icon: "pin", act: async () => share(await askLocation()) },
      { label: "Contact", icon: "person", act: async () => share(await askContact()) },
      { label: "File", icon: "doc", act: () => file.click() },
    ], "Send something else");
  }

  function share(shared) {
    if (!shared) return;
    outbox.raw(user, { ...shared.message, ...(answering ? { context: { id: answering.id } } : {}) }, shared.text);
    root.replyTo(null);
  }

  let bar = null;
  async function record() {
    if (bar) return;
    mic.disabled = true;
    bar = await recordBar({
      onNote: (note) => sendMedia(note.blob, { voice: true, filename: note.filename, seconds: note.seconds }),
      onTrouble: toast,
      onEnd: () => {
        bar?.remove();
        bar = null;
        line.hidden = false;
        mic.focus();
      },
    });
    mic.disabled = false;
    if (!bar) return mic.focus();
    // The phone may have been put away while the browser asked for permission.
    if (!root.isConnected) return bar.cancel();
    line.hidden = true;
    root.append(bar);
    bar.begin();
  }

  root.replyTo = (msg) => {
    answering = msg;
    answer.hidden = !msg;
    answer.replaceChildren(...(msg ? [quote(msg, names), iconButton("close", "Do not reply to this message", { onClick: () => { root.replyTo(null); text.focus(); } })] : []));
    if (msg) text.focus();
  };
  root.focusText = () => text.focus({ preventScroll: true });
  root.attach = (dropped) => attachFile(dropped, sendMedia);
  root.release = () => {
    resized.disconnect();
    bar?.cancel();
  };
  // The height depends on the width, which is known once the box is on the
  // page, and changes with the number of phones.
  let width = 0;
  const resized = new ResizeObserver(() => {
    if (text.clientWidth === width) return;
    width = text.clientWidth;
    grow();
  });
  resized.observe(text);
  return root;
}
