// The microphone: capture, level, and a voice note at the end.

import { newNote } from "./opus.js";

const RATE = 48_000;
const MAX_SECONDS = 15 * 60; // a recording left running must end some time
const LAST_PIECE_MS = 1000;

/** micTrouble turns the browser's refusal into a sentence that says what to do. */
export function micTrouble(err) {
  switch (err?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "The microphone is blocked for this page. Allow it in the browser's address bar, then press the microphone again.";
    case "NotFoundError":
    case "OverconstrainedError":
      return "No microphone was found. Connect one, or send a sound file with the paper clip.";
    case "NotReadableError":
    case "AbortError":
      return "The microphone is there but cannot be opened. Another program may be using it.";
    case "Insecure":
      return "Browsers give a page the microphone only over https or on localhost. Open this page as http://localhost, or send a sound file with the paper clip.";
    default:
      return "Recording failed in this browser. You can send a sound file with the paper clip instead.";
  }
}

// Where the browser cannot run the whole graph at 48 kHz, pieces are brought
// there by linear interpolation; good enough for speech, and continuous from
// piece to piece.
class Resampler {
  #step;
  #at = 0;
  #last = 0;

  constructor(from) {
    this.#step = from / RATE;
  }

  run(piece) {
    if (this.#step === 1) return piece;
    const out = [];
    // Position 0 is the last sample of the piece before, 1 the first of this.
    for (; this.#at < piece.length; this.#at += this.#step) {
      const i = Math.floor(this.#at);
      const before = i === 0 ? this.#last : piece[i - 1];
      out.push(before + (piece[i] - before) * (this.#at - i));
    }
    this.#at -= piece.length;
    this.#last = piece[piece.length - 1];
    return Float32Array.from(out);
  }
}

/** One recording. Recorder.start asks for the microphone; then stop or cancel, once. */
export class Recorder {
  #stream;
  #context;
  #tap;
  #note;
  #resampler;
  #work = Promise.resolve(); // pieces are encoded one after the other
  #ended;
  #samples = 0;

  /** onLevel gets the loudness of each piece, 0 to 1; onLimit is called when the recording has become too long. */
  static async start({ onLevel, onLimit }) {
    if (!navigator.mediaDevices?.getUserMedia || typeof AudioWorkletNode === "undefined") {
      throw Object.assign(new Error("no microphone here"), { name: isSecureContext ? "NotSupportedError" : "Insecure" });
    }
    const recorder = new Recorder();
    try {
      await recorder.#open(onLevel, onLimit);
    } catch (err) {
      recorder.#close();
      throw err;
    }
    return recorder;
  }

  async #open(onLevel, onLimit) {
    this.#stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    this.#note = await newNote();
    const source = this.#connect();
    await this.#context.audioWorklet.addModule(new URL("./pcm-worklet.js", import.meta.url));
    await this.#context.resume();
    this.#resampler = new Resampler(this.#context.sampleRate);
    this.#tap = new AudioWorkletNode(this.#context, "pcm-tap", { numberOfInputs: 1, numberOfOutputs: 1 });
    let done;
    this.#ended = new Promise((resolve) => (done = resolve));
    let warned = false;
    this.#tap.port.onmessage = ({ data: piece }) => {
      if (piece === null) return done();
      this.#samples += piece.length;
      onLevel(level(piece));
      this.#work = this.#work.then(() => this.#note.push(this.#resampler.run(piece)));
      this.#work.catch(() => {}); // stop() reports it
      if (this.seconds > MAX_SECONDS && !warned) {
        warned = true;
        onLimit();
      }
    };
    source.connect(this.#tap);
    // A node that leads nowhere is not run by every browser; its output is silence.
    this.#tap.connect(this.#context.destination);
  }

  #connect() {
    this.#context = new AudioContext({ sampleRate: RATE });
    try {
      return this.#context.createMediaStreamSource(this.#stream);
    } catch {
      // Some browsers join a microphone only to a graph of the device's own rate.
      this.#context.close();
      this.#context = new AudioContext();
      return this.#context.createMediaStreamSource(this.#stream);
    }
  }

  get seconds() {
    return this.#context ? this.#samples / this.#context.sampleRate : 0;
  }

  /** stop gives {blob, filename, seconds}. */
  async stop() {
    try {
      this.#tap.port.postMessage("stop");
      // The audio thread answers within a piece; if it has died, what arrived is the note.
      await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, LAST_PIECE_MS))]);
      await this.#work;
      return await this.#note.finish();
    } finally {
      this.#close();
    }
  }

  cancel() {
    this.#close();
    this.#note?.cancel();
  }

  #close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#tap) this.#tap.port.onmessage = null;
    if (this.#context && this.#context.state !== "closed") this.#context.close();
  }
}

// Loudness of a piece on a scale that follows the ear: -50 dB is 0, -6 dB is 1.
function level(piece) {
  let sum = 0;
  for (const s of piece) sum += s * s;
  const db = 10 * Math.log10(sum / piece.length + 1e-9);
  return Math.max(0, Math.min(1, (db + 50) / 44));
}
