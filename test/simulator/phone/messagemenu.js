// The menu of one bubble: react, reply, copy, save, look inside.

import { announce, openMenu, toast } from "./a11y.js";
import { fileURL, sendEcho } from "./api.js";
import { h } from "./dom.js";
import { ownReaction } from "./reactions.js";
import { showDetails } from "./share.js";

const QUICK = [["👍", "Thumbs up"], ["❤️", "Heart"], ["😂", "Laughing"], ["😮", "Surprised"], ["😢", "Sad"], ["🙏", "Thanks"]];

/** openMessageMenu opens the menu beside anchor. context: {store, outbox, reply(msg)}. */
export function openMessageMenu(msg, anchor, { store, outbox, reply }) {
  const entries = [];
  if (!msg.local) {
    const mine = ownReaction(store.list(msg.user), msg.id);
    const react = (emoji) => outbox.reaction(msg.user, msg.id, emoji).catch((err) => toast(err.message));
    entries.push({ label: "React", row: QUICK.map(([emoji, name]) => ({
      text: emoji,
      label: emoji === mine ? `Take back ${name}` : name,
      // Choosing the same one again takes it back, as on a phone.
      act: () => react(emoji === mine ? "" : emoji),
    })) });
    entries.push({ label: "Reply", icon: "reply", act: () => reply(msg) });
  }
  if (msg.direction === "in" && !msg.local) entries.push({ label: "Answer as the business", icon: "reply", act: () => answerAsBusiness(msg.user) });
  if (msg.text) entries.push({ label: "Copy text", icon: "copy", act: () => copy(msg.text) });
  if (msg.media && !msg.local) entries.push({ label: "Save", icon: "download", act: () => save(msg.media) });
  if (msg.retry) entries.push({ label: "Try again", icon: "retry", act: () => msg.retry() });
  if (msg.local && msg.status === "failed") entries.push({ label: "Delete", icon: "trash", act: () => store.dropMessage(msg.user, msg.id) });
  entries.push({ label: "Details", icon: "info", act: () => showDetails(msg) });
  openMenu(anchor, entries, "Message menu");
}

// What somebody of the business types on the shop's own phone; the bot is told and keeps silent for a while.
function answerAsBusiness(user) {
  const body = prompt("What somebody of the business writes from its own phone:")?.trim();
  if (body) sendEcho(user, { type: "text", text: { body } }).catch((err) => toast(err.message));
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Text copied");
  } catch {
    toast("The browser did not allow copying.");
  }
}

function save(media) {
  const link = h("a", { href: fileURL(media, true), download: media.filename ?? "" });
  document.body.append(link);
  link.click();
  link.remove();
}
