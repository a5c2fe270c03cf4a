// The bar that stands in for the composer while the microphone is open: cancel,
// a running clock, the level of the last seconds, send.

import { announce } from "./a11y.js";
import { h, iconButton, svg } from "./dom.js";
import { minutes } from "./format.js";
import { Recorder, micTrouble } from "./recorder.js";

const SHOWN = 60; // levels in the meter, about 2.5 s
const TOO_SHORT = 0.4; // seconds; a tap on the button is not a message

/**
 * recordBar asks for the microphone and gives the bar, or null after telling
 * onTrouble why there is none. onNote gets {blob, filename, seconds}; onEnd is
 * called once, sent or not.
 */
export async function recordBar({ onNote, onTrouble, onEnd }) {
  const levels = new Array(SHOWN).fill(0);
  const path = svg("path", {});
  const meter = svg("svg", { viewBox: `0 0 ${SHOWN * 4} 32`, preserveAspectRatio: "none", class: "record-meter", "aria-hidden": "true" }, path);
  const clock = h("span", { class: "record-clock", role: "timer", "data-testid": "record-clock", text: "0:00" });

  let recorder;
  try {
    recorder = await Recorder.start({ onLevel, onLimit: () => send() });
  } catch (err) {
    onTrouble(micTrouble(err));
    return null;
  }

  let over = false;
  const cancelButton = iconButton("trash", "Discard the recording", { "data-testid": "record-cancel", onClick: cancel });
  const sendButton = iconButton("send", "Send the recording", { class: "round", "data-testid": "record-send", onClick: send });
  const bar = h("div", { class: "record-bar", role: "group", "aria-label": "Recording a voice message", onKeydown: (event) => { if (event.key === "Escape") cancel(); } },
    cancelButton, h("span", { class: "record-dot", "aria-hidden": "true" }), clock, meter, sendButton);

  function onLevel(value) {
    levels.push(value);
    levels.shift();
    path.setAttribute("d", levels.map((v, i) => `M${i * 4 + 2} ${(16 - 1 - v * 13).toFixed(1)}V${(16 + 1 + v * 13).toFixed(1)}`).join(""));
    // Before start() has come back, the first pieces may already be here.
    clock.textContent = minutes(Math.floor(recorder?.seconds ?? 0));
  }

  async function send() {
    if (over) return;
    over = true;
    sendButton.disabled = cancelButton.disabled = true;
    try {
      const note = await recorder.stop();
      if (note.seconds < TOO_SHORT) onTrouble("That was too short for a voice message. Press the microphone, speak, then press send.");
      else onNote(note);
    } catch {
      onTrouble("The recording could not be turned into a voice message. You can send a sound file with the paper clip instead.");
    }
    onEnd();
  }

  function cancel() {
    if (over) return;
    over = true;
    recorder.cancel();
    announce("Recording discarded");
    onEnd();
  }

  bar.cancel = cancel;
  bar.begin = () => {
    sendButton.focus();
    announce("Recording. Enter sends, Escape discards.");
  };
  return bar;
}
