// The calls the page makes to the simulator, and the stream of events back.

/** A refused or failed call. The message is a plain sentence for the person. */
export class CallError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.name = "CallError";
    this.status = status;
  }
}

// A call that answers nothing is worse than one that fails: 15 s for JSON;
// uploads get longer, because the server may encode the audio first.
const CALL_MS = 15_000;
const UPLOAD_MS = 90_000;

async function call(method, path, { json, form, timeout = CALL_MS } = {}) {
  const init = { method, signal: AbortSignal.timeout(timeout), headers: { Accept: "application/json" } };
  if (json !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(json);
  } else if (form) {
    init.body = form;
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch (err) {
    throw new CallError(err.name === "TimeoutError" ? "The simulator did not answer in time." : "The simulator cannot be reached.");
  }
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new CallError("The simulator's answer could not be read.", response.status);
  }
  if (!response.ok) throw new CallError(body?.error ? sentence(body.error) : `The simulator refused this (HTTP ${response.status}).`, response.status);
  return body;
}

// The server writes some reasons without a capital and a full stop; on the page they stand as sentences.
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

const of = (user) => `/sim/users/${encodeURIComponent(user)}`;

export const readState = () => call("GET", "/sim/state");
export const addUser = (user) => call("POST", "/sim/users", { json: user });
export const sendMessage = (user, message) => call("POST", `${of(user)}/messages`, { json: message });
export const sendEcho = (user, message) => call("POST", `${of(user)}/echo`, { json: message });
export const markRead = (user, ids) => call("POST", `${of(user)}/read`, { json: { message_ids: ids } });
export const markPlayed = (user, id) => call("POST", `${of(user)}/played`, { json: { message_id: id } });
export const putFaults = (faults) => call("PUT", "/sim/faults", { json: faults });

/** sendMedia uploads a file as this person; voice asks for a voice note. */
export function sendMedia(user, blob, { voice = false, caption = "", filename = "", replyTo = "" } = {}) {
  const form = new FormData();
  // The fields go before the file, so that a server that streams knows them.
  form.append("voice", String(voice));
  if (caption) form.append("caption", caption);
  if (filename) form.append("filename", filename);
  if (replyTo) form.append("context_id", replyTo);
  form.append("file", blob, filename || "file");
  return call("POST", `${of(user)}/media`, { form, timeout: UPLOAD_MS });
}

/** fileURL is where the bytes of a message's media are. */
export const fileURL = (media, download = false) =>
  media.url ?? `/sim/files/${encodeURIComponent(media.id)}${download ? "?download=1" : ""}`;

const EVENTS = ["user", "message", "typing", "timeline", "faults", "webhook"];

/**
 * openEvents keeps one event stream open for the life of the page.
 *
 * onEvent(name, data) is called for each event, onOpen() each time the stream
 * is (again) open, onReset() when the server has forgotten what was missed,
 * onDown() when the stream is lost. The browser reconnects by itself, with
 * Last-Event-ID, after a cut; after an HTTP error it gives up, so then this
 * opens a new stream, after 1 s, 2 s, 4 s, at most 8 s.
 */
export function openEvents({ onEvent, onOpen, onReset, onDown }) {
  let wait = 1000;
  const open = () => {
    const source = new EventSource("/sim/events");
    source.onopen = () => {
      wait = 1000;
      onOpen();
    };
    source.onerror = () => {
      onDown();
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 8000);
    };
    source.addEventListener("reset", onReset);
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        let data;
        try {
          data = JSON.parse(event.data);
        } catch {
          console.error(`event ${name} is not JSON`);
          return;
        }
        onEvent(name, data);
      });
    }
    // A page that is left must not count as a lost connection.
    addEventListener("pagehide", () => source.close(), { once: true });
  };
  open();
}
