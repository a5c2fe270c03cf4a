// Sound into a voice note as a WhatsApp client makes it: Ogg, Opus, mono.

import { OggOpusWriter, samplesIn } from "./ogg.js";
import { WavNote } from "./wav.js";

const RATE = 48_000; // Opus's own rate
const BITRATE = 32_000; // bit/s; clear speech, about 4 KB a second
const FRAME = 960; // samples of a 20 ms packet
const PRE_SKIP = 312; // libopus's look-ahead, where the encoder does not tell
const MAX_QUEUED = 32; // pieces inside the encoder before we wait for it

const CONFIG = {
  codec: "opus",
  sampleRate: RATE,
  numberOfChannels: 1,
  bitrate: BITRATE,
  opus: { format: "opus", frameDuration: 20_000 },
};

/** canEncodeOpus says whether this browser has an Opus encoder the page can use. */
export async function canEncodeOpus() {
  if (typeof AudioEncoder === "undefined") return false;
  try {
    return (await AudioEncoder.isConfigSupported(CONFIG)).supported === true;
  } catch {
    return false;
  }
}

/** An encoder of one note. push in order, then finish or cancel, once. */
class OpusNote {
  #encoder;
  #packets = [];
  #preSkip = PRE_SKIP;
  #pushed = 0;
  #failure = null;

  constructor() {
    this.#encoder = new AudioEncoder({
      output: (chunk, meta) => {
        this.#readDescription(meta?.decoderConfig?.description);
        const packet = new Uint8Array(chunk.byteLength);
        chunk.copyTo(packet);
        this.#packets.push(packet);
      },
      error: (err) => (this.#failure = err),
    });
    this.#encoder.configure(CONFIG);
  }

  // The description, where given, is the OpusHead packet; bytes 10 and 11 are the pre-skip.
  #readDescription(description) {
    if (!description) return;
    const view = ArrayBuffer.isView(description)
      ? new DataView(description.buffer, description.byteOffset, description.byteLength)
      : new DataView(description);
    if (view.byteLength >= 19 && view.getUint32(0) === 0x4f707573) this.#preSkip = view.getUint16(10, true);
  }

  /** push takes mono samples at 48 kHz; it waits while the encoder is behind. */
  async push(samples) {
    if (this.#failure) throw this.#failure;
    this.#encode(samples);
    this.#pushed += samples.length;
    while (this.#encoder.encodeQueueSize > MAX_QUEUED && !this.#failure) {
      await new Promise((resolve) => this.#encoder.addEventListener("dequeue", resolve, { once: true }));
    }
  }

  #sent = 0;
  #encode(samples) {
    const data = new AudioData({
      format: "f32-planar",
      sampleRate: RATE,
      numberOfFrames: samples.length,
      numberOfChannels: 1,
      timestamp: Math.round((this.#sent / RATE) * 1e6), // microseconds
      data: samples,
    });
    this.#encoder.encode(data);
    data.close();
    this.#sent += samples.length;
  }

  async finish() {
    // The decoder's output lags by the pre-skip: without silence behind the
    // end, the last 6.5 ms of speech would stay inside the encoder. Whole
    // frames, because a flushed part frame is padded differently by browsers.
    const whole = Math.ceil((this.#pushed + this.#preSkip) / FRAME) * FRAME;
    this.#encode(new Float32Array(whole - this.#pushed));
    await this.#encoder.flush();
    this.#encoder.close();
    if (this.#failure) throw this.#failure;

    const writer = new OggOpusWriter({ preSkip: this.#preSkip, inputRate: RATE });
    const end = this.#preSkip + this.#pushed;
    let samples = 0;
    for (const packet of this.#packets) {
      if (samples >= end) break; // padding only
      writer.add(packet);
      samples += samplesIn(packet);
    }
    return { blob: writer.finish(this.#pushed), filename: "voice.ogg", seconds: this.#pushed / RATE };
  }

  cancel() {
    if (this.#encoder.state !== "closed") this.#encoder.close();
    this.#packets = [];
  }
}

/** newNote gives an Opus encoder, or a WAV writer where the browser has none. Input is mono at 48 kHz. */
export async function newNote() {
  return (await canEncodeOpus()) ? new OpusNote() : new WavNote(RATE);
}

/**
 * noteFromFile turns a sound file of any kind the browser can decode into a
 * voice note. It gives null when the browser cannot decode it: the file can
 * still be sent as it is, and the simulator decides.
 */
export async function noteFromFile(file) {
  const context = new OfflineAudioContext(1, 1, RATE); // decoding resamples to its rate
  let sound;
  try {
    sound = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    return null;
  }
  const mono = new Float32Array(sound.length);
  for (let c = 0; c < sound.numberOfChannels; c++) {
    const channel = sound.getChannelData(c);
    for (let i = 0; i < mono.length; i++) mono[i] += channel[i] / sound.numberOfChannels;
  }
  const note = await newNote();
  for (let at = 0; at < mono.length; at += RATE) await note.push(mono.subarray(at, at + RATE));
  return note.finish();
}
