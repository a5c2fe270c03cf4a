// A file that was chosen, dropped or pasted: as what shall it be sent?

import { ask, field, toast } from "./a11y.js";
import { h, icon } from "./dom.js";
import { bytes } from "./format.js";
import { noteFromFile } from "./opus.js";

const MAX_FILE = 100 * 1024 * 1024; // WhatsApp's own limit for documents

// Types by the name's ending, where the browser has none to offer.
const SOUND = /\.(ogg|oga|opus|mp3|m4a|aac|amr|wav|flac|webm)$/i;

const isSound = (file) => file.type.startsWith("audio/") || (!file.type.startsWith("video/") && SOUND.test(file.name));

/** attachFile asks, then calls send(blob, {voice, caption, filename, seconds}). A sound is offered as a voice note first. */
export async function attachFile(file, send) {
  if (file.size === 0) return toast("This file is empty.");
  if (file.size > MAX_FILE) return toast(`This file has ${bytes(file.size)}; WhatsApp takes 100 MB at most.`);
  const sound = isSound(file);
  const picture = file.type.startsWith("image/") || file.type.startsWith("video/");
  const caption = h("input", { type: "text", maxlength: "1024", autocomplete: "off", "data-testid": "file-caption", autofocus: !sound });
  const preview = file.type.startsWith("image/") ? URL.createObjectURL(file) : "";
  const choice = await ask({
    title: sound ? "Send this sound" : picture ? "Send this picture" : "Send this file",
    body: [
      preview ? h("img", { class: "attach-preview", src: preview, alt: "" }) : null,
      h("p", { class: "attach-name" }, icon(sound ? "music" : "doc", 22), h("span", { text: file.name }), h("small", { text: bytes(file.size) })),
      sound ? null : field("Caption (optional)", caption),
    ].filter(Boolean),
    buttons: [
      { value: "file", label: "Send as file", testid: "send-as-file", primary: !sound },
      ...(sound ? [{ value: "voice", label: "Send as voice note", testid: "send-as-voice", primary: true, focus: true }] : []),
    ],
  });
  if (preview) URL.revokeObjectURL(preview);
  if (choice === "file") send(file, { caption: sound ? "" : caption.value.trim(), filename: file.name });
  if (choice === "voice") await sendAsNote(file, send);
}

async function sendAsNote(file, send) {
  let note;
  try {
    // A mono Ogg/Opus file already is a voice note; encoding it again would only cost quality.
    note = (await isMonoOpus(file)) ? { blob: new Blob([file], { type: "audio/ogg; codecs=opus" }), filename: file.name, seconds: 0 } : await noteFromFile(file);
  } catch {
    return toast("This sound could not be turned into a voice note. It can be sent as a file.");
  }
  // What the browser cannot decode goes as it is: the simulator encodes it or says why not.
  note ??= { blob: file, filename: file.name, seconds: 0 };
  send(note.blob, { voice: true, filename: note.filename, seconds: note.seconds });
}

// The first Ogg page holds the OpusHead packet, at byte 28; its tenth byte is the channel count.
async function isMonoOpus(file) {
  const head = new Uint8Array(await file.slice(0, 38).arrayBuffer());
  const word = (at, text) => [...text].every((c, i) => head[at + i] === c.charCodeAt(0));
  return head.length === 38 && word(0, "OggS") && word(28, "OpusHead") && head[37] === 1;
}
