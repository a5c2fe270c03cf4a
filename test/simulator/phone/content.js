// What is inside a bubble, one function for each kind of message.

import { fileURL } from "./api.js";
import { h, icon } from "./dom.js";
import { bytes, hue, initials, spokenSeconds, summary } from "./format.js";
import { richText } from "./richtext.js";
import { voicePlayer } from "./voice.js";

/** avatar is a coloured disc with initials, or with a picture for the business. */
export function avatar(name, { picture = "", size = "m" } = {}) {
  const disc = h("span", { class: `avatar avatar-${size}`, "aria-hidden": "true" }, picture ? icon(picture, 22) : initials(name));
  disc.style.setProperty("--hue", hue(name));
  if (picture) disc.classList.add("avatar-business");
  return disc;
}

/**
 * content gives the nodes of a message. env: {me, businessName, onPlayed(msg),
 * onTrouble(sentence), onChoose(msg, choice), onPicture(url, label)}.
 */
export function content(msg, env) {
  const build = KINDS[msg.type] ?? unsupported;
  return build(msg, env);
}

const paragraph = (text) => h("div", { class: "text", dir: "auto" }, ...richText(text));
const caption = (msg) => (msg.text ? [paragraph(msg.text)] : []);

function text(msg) {
  return [paragraph(msg.text ?? "")];
}

function audio(msg, env) {
  if (!msg.media) return unsupported(msg);
  const mine = msg.direction === "in";
  const note = msg.media.voice === true;
  const name = mine ? env.me.name : env.businessName;
  const face = h("span", { class: "voice-face" },
    note ? avatar(name, { picture: mine ? "" : "store", size: "l" }) : h("span", { class: "avatar avatar-l avatar-file" }, icon("music", 24)),
    note ? h("span", { class: "voice-mic" }, icon("mic", 16)) : null);
  const length = msg.media.duration_ms ? `, ${spokenSeconds(msg.media.duration_ms / 1000)}` : "";
  const label = `${note ? "voice message" : "sound file"} ${mine ? "from you" : `from ${name}`}${length}`;
  const player = voicePlayer(msg.media, { who: face, label, onPlayed: () => env.onPlayed(msg), onTrouble: env.onTrouble });
  return [player, ...(!note && msg.media.filename ? [h("div", { class: "file-line", text: msg.media.filename })] : [])];
}

function image(msg, env) {
  if (!msg.media) return unsupported(msg);
  const url = fileURL(msg.media);
  const label = msg.text ? `Photo: ${msg.text}` : "Photo";
  const img = h("img", { src: url, alt: label, loading: "lazy", decoding: "async" });
  img.addEventListener("error", () => img.replaceWith(h("span", { class: "broken" }, icon("alert"), "This picture cannot be shown")));
  return [h("button", { type: "button", class: "picture", "aria-label": `Open ${label}`, onClick: () => env.onPicture(url, label) }, img), ...caption(msg)];
}

function sticker(msg) {
  if (!msg.media) return unsupported(msg);
  return [h("img", { class: "sticker", src: fileURL(msg.media), alt: "Sticker", loading: "lazy" })];
}

function video(msg) {
  if (!msg.media) return unsupported(msg);
  return [h("video", { class: "video", src: fileURL(msg.media), controls: true, preload: "metadata", "aria-label": "Video" }), ...caption(msg)];
}

function document_(msg) {
  if (!msg.media) return unsupported(msg);
  const name = msg.media.filename || "Document";
  const kind = (name.includes(".") ? name.split(".").pop() : (msg.media.mime_type ?? "").split("/").pop()).slice(0, 5).toUpperCase();
  const card = h("a", { class: "card", href: msg.media.url ?? fileURL(msg.media, true), download: name, "aria-label": `Download ${name}, ${bytes(msg.media.size)}` },
    h("span", { class: "card-icon" }, icon("doc", 30)),
    h("span", { class: "card-text" }, h("strong", { text: name }), h("small", { text: [kind, bytes(msg.media.size)].filter(Boolean).join(" · ") })),
    icon("download", 20));
  return [card, ...caption(msg)];
}

function location_(msg) {
  const place = msg.raw?.location ?? {};
  const where = `${Number(place.latitude).toFixed(5)}, ${Number(place.longitude).toFixed(5)}`;
  const lines = [h("strong", { text: place.name || "Location" })];
  if (place.address) lines.push(h("small", { text: place.address }));
  lines.push(h("small", { text: where }));
  return [h("div", { class: "place" }, h("div", { class: "place-map" }, icon("pin", 34)), h("div", { class: "place-text" }, ...lines))];
}

function contacts(msg) {
  return (msg.raw?.contacts ?? []).map((contact) => {
    const name = contact.name?.formatted_name || contact.name?.first_name || "Contact";
    const phones = (contact.phones ?? []).map((p) => p.phone || p.wa_id).filter(Boolean).join(", ");
    return h("div", { class: "card" }, avatar(name, { size: "l" }), h("span", { class: "card-text" }, h("strong", { text: name }), phones ? h("small", { text: phones }) : null));
  });
}

// Buttons and lists of the business: a choice is sent as the person's reply.
function interactive(msg, env) {
  const body = msg.raw?.interactive ?? {};
  if (msg.direction === "in") {
    const reply = body.button_reply ?? body.list_reply;
    return [paragraph(reply?.title ?? msg.text ?? summary(msg)), ...(reply?.description ? [h("small", { class: "aside", text: reply.description })] : [])];
  }
  const buttons = (body.action?.buttons ?? []).map((b) => ({ kind: "button_reply", reply: { id: b.reply?.id, title: b.reply?.title } }));
  const rows = (body.action?.sections ?? []).flatMap((s) => s.rows ?? []).map((r) => ({ kind: "list_reply", reply: { id: r.id, title: r.title, ...(r.description ? { description: r.description } : {}) } }));
  return [
    ...(body.header?.text ? [h("strong", { text: body.header.text })] : []),
    paragraph(body.body?.text ?? msg.text ?? ""),
    ...(body.footer?.text ? [h("small", { class: "aside", text: body.footer.text })] : []),
    h("div", { class: "choices" }, ...[...buttons, ...rows].map((c) => h("button", { type: "button", text: c.reply.title, onClick: () => env.onChoose(msg, c) }))),
  ];
}

function button(msg) {
  return [paragraph(msg.raw?.button?.text ?? msg.text ?? "")];
}

function unsupported(msg) {
  return [h("div", { class: "text unsupported" }, icon("info", 16), ` ${summary(msg)}`)];
}

const KINDS = { text, audio, voice: audio, image, sticker, video, document: document_, location: location_, contacts, interactive, button };
