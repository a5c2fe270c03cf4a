// Words and numbers as people read them.

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "long" });
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

/** timeOfDay turns Unix milliseconds into "14:03". */
export const timeOfDay = (at) => clock.format(at);

/** timeOfDayPrecise turns Unix milliseconds into "14:03:21". */
export const timeOfDayPrecise = (at) => clockSeconds.format(at);

/** dayKey is equal for two moments of the same local day. */
export const dayKey = (at) => new Date(at).toDateString();

/** dayName is the text of a day separator: Today, Yesterday, Monday, 3 May 2026. */
export function dayName(at, now = Date.now()) {
  const midnight = (t) => new Date(t).setHours(0, 0, 0, 0);
  // Rounded, because a day with a clock change has 23 or 25 hours.
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return weekday.format(at);
  return date.format(at);
}

/** minutes turns seconds into "1:05", as beside a voice note. */
export function minutes(seconds) {
  const whole = Math.max(0, Math.round(Number.isFinite(seconds) ? seconds : 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** spokenSeconds is the same length for a screen reader. */
export function spokenSeconds(seconds) {
  const whole = Math.max(0, Math.round(Number.isFinite(seconds) ? seconds : 0));
  const m = Math.floor(whole / 60);
  const s = whole % 60;
  const part = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  return m ? `${part(m, "minute")} ${part(s, "second")}` : part(s, "second");
}

/** bytes turns a size into "12 KB"; units of 1,024. */
export function bytes(n) {
  if (!Number.isFinite(n)) return "";
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${Math.round(n / 1024)} KB`;
  return `${(n / 1024 / 1024).toFixed(1)} MB`;
}

/** millis turns a span into "840 ms", "1.92 s" or "2 min 05 s". */
export function millis(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${String(Math.floor((ms % 60_000) / 1000)).padStart(2, "0")} s`;
}

/** initials of a name, two letters at most. */
export function initials(name) {
  const words = String(name).trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return letters.map((w) => [...w][0].toUpperCase()).join("") || "?";
}

/** hue gives a name its own stable colour angle, 0 to 359. */
export function hue(text) {
  let n = 7;
  for (const c of String(text)) n = (n * 31 + c.codePointAt(0)) % 9973;
  return n % 360;
}

/** address is what a person is known by to the business. */
export const address = (user) => (user.phone ? `+${user.phone.replace(/^\+/, "")}` : user.username ? `@${user.username}` : user.user_id || "");

const KINDS = {
  image: "Photo", video: "Video", document: "Document", sticker: "Sticker", location: "Location", contacts: "Contact",
  reaction: "Reaction", interactive: "Choice", button: "Button", order: "Order", template: "Template", system: "System message",
  request_welcome: "Opened the chat", unsupported: "Unsupported message", unknown: "Unsupported message",
};

/** summary is one line that stands for a message in lists, quotes and announcements. */
export function summary(msg) {
  if (!msg) return "";
  if (msg.type === "text") return msg.text ?? "";
  if (msg.type === "audio") {
    const length = msg.media?.duration_ms ? ` (${minutes(msg.media.duration_ms / 1000)})` : "";
    return (msg.media?.voice ? "Voice message" : "Audio") + length;
  }
  if (msg.type === "reaction") {
    const emoji = msg.raw?.reaction?.emoji;
    return emoji ? `Reacted ${emoji}` : "Removed a reaction";
  }
  const kind = KINDS[msg.type] ?? msg.type;
  const more = msg.type === "document" ? msg.media?.filename : msg.text;
  if (msg.type === "interactive" && more) return more;
  return more ? `${kind}: ${more}` : kind;
}
