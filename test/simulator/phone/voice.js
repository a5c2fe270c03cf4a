// The player of a voice note or a sound file inside a bubble.

import { fileURL } from "./api.js";
import { h, icon, svg } from "./dom.js";
import { minutes, spokenSeconds } from "./format.js";
import { BARS, flatBars, waveform } from "./waveform.js";

const RATES = [1, 1.5, 2];
const PLAYED_AT = 0.5; // of the length: from here on a note counts as listened to

let playing = null; // one player at a time on the whole page, as on a phone
let rate = RATES[0]; // the speed chosen last holds for the next note too

// One path of upright strokes, stretched to the width the bubble has.
function bars(peaks, className) {
  const d = peaks.map((p, i) => `M${i * 4 + 2} ${(16 - p * 13).toFixed(1)}V${(16 + p * 13).toFixed(1)}`).join("");
  return svg("svg", { viewBox: `0 0 ${BARS * 4} 32`, preserveAspectRatio: "none", class: className, "aria-hidden": "true" }, svg("path", { d }));
}

/**
 * voicePlayer builds the player. who is the element beside the wave (a face),
 * swapped for the speed button once the note has been started. onPlayed is
 * called once, at half of the length or at the end; onTrouble with a sentence
 * when the sound cannot be played.
 */
export function voicePlayer(media, { who, label, onPlayed, onTrouble }) {
  const audio = new Audio();
  audio.preload = "none";
  let seconds = media.duration_ms ? media.duration_ms / 1000 : 0;
  let position = 0;
  let reported = false;
  let frame = 0;

  const playButton = h("button", { type: "button", class: "voice-play", "data-testid": "voice-play", onClick: toggle }, icon("play", 30));
  const duration = h("span", { class: "voice-duration", "data-testid": "voice-duration" });
  const rest = h("div", { class: "wave-layer" });
  const done = h("div", { class: "wave-layer wave-done" });
  const head = h("div", { class: "wave-head" });
  const wave = h("div", {
    class: "voice-wave", "data-testid": "voice-wave", role: "slider", tabindex: "0",
    "aria-label": `Position in ${label}`, "aria-valuemin": "0", onKeydown: onKey, onPointerdown: onPointer,
  }, rest, done, head);
  const speed = h("button", { type: "button", class: "voice-speed", hidden: true, onClick: nextRate });
  const root = h("div", { class: "voice", dataset: { state: "new", wave: "loading" } },
    h("div", { class: "voice-who" }, who, speed), playButton, wave, duration);

  draw(flatBars(media.id));
  show();
  waveform(media).then((sound) => {
    // The measured length wins over the announced one: it is what will be heard.
    if (!audio.duration || !Number.isFinite(audio.duration)) seconds = sound.seconds;
    draw(sound.peaks);
    root.dataset.wave = "ready";
    show();
  }, () => (root.dataset.wave = "flat"));

  audio.addEventListener("loadedmetadata", () => {
    if (Number.isFinite(audio.duration)) seconds = audio.duration;
    if (position) audio.currentTime = Math.min(position, seconds);
    show();
  });
  audio.addEventListener("play", () => {
    if (playing && playing !== audio) playing.pause();
    playing = audio;
    root.dataset.state = "playing";
    follow();
  });
  audio.addEventListener("pause", () => {
    cancelAnimationFrame(frame);
    if (root.dataset.state === "playing") root.dataset.state = "paused";
    show();
  });
  audio.addEventListener("timeupdate", heard);
  audio.addEventListener("ended", () => {
    report();
    root.dataset.state = "ended";
    position = 0;
    show();
  });
  audio.addEventListener("error", () => {
    root.dataset.state = "broken";
    show();
    onTrouble("This sound cannot be played: the file is damaged, gone, or of a kind the browser does not know.");
  });

  function draw(peaks) {
    rest.replaceChildren(bars(peaks));
    done.replaceChildren(bars(peaks));
  }

  // Positions are written through the style object, which a strict content
  // security policy allows; a style attribute it would refuse.
  function show() {
    const part = seconds > 0 ? Math.min(1, position / seconds) : 0;
    const started = position > 0 || root.dataset.state === "playing";
    wave.style.setProperty("--part", part.toFixed(4));
    duration.textContent = minutes(started ? seconds - position : seconds);
    duration.title = started ? "Time left" : "Length";
    const active = root.dataset.state === "playing";
    if (playButton.dataset.playing !== String(active)) {
      playButton.dataset.playing = String(active);
      playButton.replaceChildren(icon(active ? "pause" : "play", 30));
      playButton.setAttribute("aria-label", `${active ? "Pause" : "Play"} ${label}`);
    }
    speed.hidden = root.dataset.state === "new" || root.dataset.state === "broken";
    who.hidden = !speed.hidden;
    speed.textContent = `${rate}×`;
    speed.setAttribute("aria-label", `Speed ${rate} times, change`);
    wave.setAttribute("aria-valuemax", seconds.toFixed(1));
    wave.setAttribute("aria-valuenow", position.toFixed(1));
    wave.setAttribute("aria-valuetext", `${spokenSeconds(position)} of ${spokenSeconds(seconds)}`);
  }

  function follow() {
    position = audio.currentTime;
    show();
    if (!audio.paused) frame = requestAnimationFrame(follow);
  }

  function heard() {
    position = audio.currentTime;
    if (seconds && position >= seconds * PLAYED_AT && !audio.paused) report();
    if (audio.paused) show();
  }

  function report() {
    if (reported) return;
    reported = true;
    onPlayed();
  }

  function toggle() {
    if (!audio.paused) return audio.pause();
    load();
    audio.playbackRate = rate;
    audio.play().catch((err) => {
      // The error event already tells of broken files; a pause during loading is no error.
      if (err.name === "NotAllowedError") onTrouble("The browser refused to play sound. Press play once more.");
    });
  }

  function load() {
    if (audio.src && !audio.error) return;
    audio.src = fileURL(media);
  }

  function seek(to) {
    position = Math.max(0, Math.min(seconds, to));
    load();
    if (audio.readyState >= HTMLMediaElement.HAVE_METADATA) audio.currentTime = position;
    else audio.load();
    if (root.dataset.state === "new" || root.dataset.state === "ended") root.dataset.state = "paused";
    show();
  }

  function onKey(event) {
    const small = Math.min(5, Math.max(0.5, seconds / 20));
    const moves = { ArrowRight: small, ArrowUp: small, ArrowLeft: -small, ArrowDown: -small, PageUp: seconds / 4, PageDown: -seconds / 4, Home: -Infinity, End: Infinity };
    if (event.key in moves) seek(position + moves[event.key]);
    else if (event.key === " " || event.key === "Enter") toggle();
    else return;
    event.preventDefault();
    event.stopPropagation(); // arrows also move between bubbles
  }

  function onPointer(event) {
    if (event.button !== 0) return;
    const at = (e) => {
      const box = wave.getBoundingClientRect();
      seek(((e.clientX - box.left) / box.width) * seconds);
    };
    at(event);
    wave.setPointerCapture(event.pointerId);
    wave.onpointermove = at;
    wave.onpointerup = wave.onpointercancel = () => (wave.onpointermove = wave.onpointerup = wave.onpointercancel = null);
  }

  function nextRate() {
    rate = RATES[(RATES.indexOf(rate) + 1) % RATES.length];
    audio.playbackRate = rate;
    show();
  }

  // A bubble that leaves the page must not go on talking.
  root.release = () => {
    audio.pause();
    audio.removeAttribute("src");
    if (playing === audio) playing = null;
  };
  return root;
}
