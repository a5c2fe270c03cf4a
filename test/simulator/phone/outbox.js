// Sending as a person: what was sent shows at once, with a clock, and turns
// into the simulator's own copy, or into a failed bubble that can be retried.

import * as api from "./api.js";

export class Outbox {
  #store;
  #lines = new Map(); // user -> the last send; one after the other keeps a person's order
  #count = 0;

  constructor(store) {
    this.#store = store;
  }

  text(user, body, replyTo = "") {
    const message = { type: "text", text: { body }, ...(replyTo ? { context: { id: replyTo } } : {}) };
    return this.#send({ user, type: "text", text: body, context_id: replyTo || undefined }, () => api.sendMessage(user, message));
  }

  /** raw sends any message in Meta's own inbound shape: location, contacts, a choice. */
  raw(user, message, text = "") {
    return this.#send({ user, type: message.type, text, raw: message, context_id: message.context?.id }, () => api.sendMessage(user, message));
  }

  /** reaction shows when the simulator has taken it: a badge with a clock would say nothing. */
  async reaction(user, messageID, emoji) {
    this.#store.acceptMessage(await api.sendMessage(user, { type: "reaction", reaction: { message_id: messageID, emoji } }));
  }

  /** media uploads a sound, picture, film or document. seconds: length of a sound, when known. */
  media(user, blob, { voice = false, caption = "", filename = "", seconds = 0, replyTo = "" } = {}) {
    const kind = blob.type.split("/")[0];
    const type = ["audio", "image", "video"].includes(kind) ? kind : voice ? "audio" : "document";
    const local = {
      user, type, text: caption || undefined, context_id: replyTo || undefined,
      media: { id: "", blob, url: URL.createObjectURL(blob), mime_type: blob.type, size: blob.size, voice, filename, duration_ms: seconds ? Math.round(seconds * 1000) : undefined },
    };
    return this.#send(local, () => api.sendMedia(user, blob, { voice, caption, filename, replyTo }));
  }

  #send(draft, post) {
    const id = `local:${++this.#count}`;
    const local = { ...draft, id, local: true, direction: "in", at: Date.now(), status: "sending", raw: draft.raw ?? {} };
    if (local.media) local.media.id = id;
    const store = this.#store;
    store.putMessage(local);
    const attempt = async () => {
      try {
        const sent = await post();
        if (sent?.id) store.acceptMessage(sent);
        store.dropMessage(local.user, id);
        if (local.media) setTimeout(() => URL.revokeObjectURL(local.media.url), 60_000); // a player may still hold it
        return true;
      } catch (err) {
        const retry = () => {
          store.putMessage({ ...local, at: Date.now() });
          return this.#queue(local.user, attempt);
        };
        store.putMessage({ ...local, status: "failed", error: { title: `Not sent. ${err.message}` }, retry });
        return false;
      }
    };
    return this.#queue(local.user, attempt);
  }

  #queue(user, attempt) {
    const turn = (this.#lines.get(user) ?? Promise.resolve()).then(attempt);
    this.#lines.set(user, turn);
    return turn;
  }
}
