// Small dialogs: a place, a contact, a new person, what is behind a message.

import { ask, field } from "./a11y.js";
import { h } from "./dom.js";
import { timeOfDayPrecise } from "./format.js";

const input = (name, props = {}) => h("input", { type: "text", name, autocomplete: "off", ...props });

/** askLocation gives {message, text} in Meta's inbound shape, or null. */
export async function askLocation() {
  const name = input("place", { placeholder: "Puerta del Sol", maxlength: "100" });
  const lat = input("lat", { type: "number", step: "any", min: "-90", max: "90", required: true, value: "40.41694" });
  const long = input("long", { type: "number", step: "any", min: "-180", max: "180", required: true, value: "-3.70346" });
  const choice = await ask({
    title: "Send a location",
    body: [field("Name (optional)", name), h("div", { class: "pair" }, field("Latitude", lat), field("Longitude", long))],
    buttons: [{ value: "send", label: "Send location", primary: true }],
  });
  if (choice !== "send") return null;
  const place = { latitude: Number(lat.value), longitude: Number(long.value) };
  if (name.value.trim()) place.name = name.value.trim();
  return { message: { type: "location", location: place }, text: place.name ?? "" };
}

/** askContact gives {message, text} in Meta's inbound shape, or null. */
export async function askContact() {
  const name = input("contact", { required: true, maxlength: "100", autofocus: true });
  const phone = input("tel", { type: "tel", required: true, pattern: "[+]?[0-9 ]{5,20}", placeholder: "+34 600 111 222", title: "Digits and spaces, with the country code" });
  const choice = await ask({
    title: "Send a contact",
    body: [field("Name", name), field("Phone", phone)],
    buttons: [{ value: "send", label: "Send contact", primary: true }],
  });
  if (choice !== "send") return null;
  const full = name.value.trim();
  const digits = phone.value.replace(/\D/g, "");
  return {
    message: { type: "contacts", contacts: [{ name: { formatted_name: full, first_name: full.split(/\s+/)[0] }, phones: [{ phone: `+${digits}`, wa_id: digits, type: "CELL" }] }] },
    text: full,
  };
}

/** askPerson gives the body of POST /sim/users, or null. */
export async function askPerson() {
  const name = input("person", { required: true, maxlength: "60", autofocus: true, "data-testid": "person-name" });
  const phone = input("tel", { type: "tel", pattern: "[+]?[0-9 ]{7,20}", placeholder: "made up when left empty", title: "Digits and spaces, with the country code" });
  const username = input("username", { maxlength: "35", pattern: "[a-z0-9._]{3,35}", placeholder: "ana.ruiz", title: "3 to 35 small letters, digits, dots or underscores" });
  const only = h("input", { type: "checkbox", name: "only", onChange: () => {
    phone.disabled = only.checked;
    username.required = only.checked;
  } });
  const choice = await ask({
    title: "Add a person",
    body: [
      field("Name", name), field("Phone number", phone), field("Username", username),
      h("label", { class: "check" }, only, h("span", { text: "Username only" }), h("small", { text: "The business does not see the phone number, as with people who have chosen a username." })),
    ],
    buttons: [{ value: "add", label: "Add person", primary: true, testid: "person-add" }],
  });
  if (choice !== "add") return null;
  const person = { name: name.value.trim(), username_only: only.checked };
  if (!only.checked && phone.value.trim()) person.phone = phone.value.replace(/\D/g, "");
  if (username.value.trim()) person.username = username.value.trim();
  return person;
}

/** showDetails shows a message as the protocol has it. */
export function showDetails(msg) {
  const { id, direction, type, status, at, media, error, raw, context_id } = msg;
  const rows = {
    Id: id, Way: direction === "in" ? "Person to business" : "Business to person", Type: type, Status: status, Time: timeOfDayPrecise(at),
    "In reply to": context_id, Media: media && [media.id, media.mime_type, media.size && `${media.size} bytes`].filter(Boolean).join(" · "),
    Error: error && [error.code, error.title].filter(Boolean).join(" "),
  };
  return ask({
    title: "Message details", wide: true, cancel: "Close", buttons: [],
    body: [
      h("dl", { class: "facts" }, ...Object.entries(rows).filter(([, v]) => v).flatMap(([k, v]) => [h("dt", { text: k }), h("dd", { text: v })])),
      h("pre", { class: "raw", tabindex: "0", "aria-label": "The message as JSON", text: JSON.stringify(raw ?? {}, null, 2) }),
    ],
  });
}

/** showPicture opens a picture in full. */
export const showPicture = (url, label) => ask({ title: label, wide: true, cancel: "Close", buttons: [], body: [h("img", { class: "full-picture", src: url, alt: label })] });
