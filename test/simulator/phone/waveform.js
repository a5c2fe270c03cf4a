// The bars of a voice note, computed in the browser from the sound itself.

import { fileURL } from "./api.js";

export const BARS = 46;
const MAX_CACHED = 300;
const MAX_BYTES = 20 * 1024 * 1024; // above this a file is not decoded only for its looks
const AT_ONCE = 2; // decodings at a time, so that a long chat does not freeze the page

const cache = new Map(); // media id -> Promise of {peaks, seconds}
const queue = [];
let running = 0;

/** flatBars stand in until the sound is read, or when it cannot be: low, and always the same for one note. */
export function flatBars(seed) {
  let n = 11;
  for (const c of String(seed)) n = (n * 33 + c.charCodeAt(0)) % 65521;
  return Array.from({ length: BARS }, () => {
    n = (n * 75 + 74) % 65537;
    return 0.08 + (n / 65537) * 0.12;
  });
}

/** waveform reads a note's sound: {peaks: BARS numbers from 0 to 1, seconds}. It rejects when the sound cannot be decoded. */
export function waveform(media) {
  let found = cache.get(media.id);
  if (!found) {
    found = new Promise((resolve, reject) => {
      queue.push(() => measure(media).then(resolve, reject));
      next();
    });
    cache.set(media.id, found);
    if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value);
  }
  return found;
}

function next() {
  if (running >= AT_ONCE || !queue.length) return;
  running++;
  queue.shift()().finally(() => {
    running--;
    next();
  });
}

async function measure(media) {
  if (media.size > MAX_BYTES) throw new Error("too large to decode");
  const bytes = media.blob ? await media.blob.arrayBuffer() : await download(media);
  const sound = await new OfflineAudioContext(1, 1, 24_000).decodeAudioData(bytes);
  return { peaks: peaks(sound.getChannelData(0)), seconds: sound.duration };
}

async function download(media) {
  const response = await fetch(fileURL(media), { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`read sound: HTTP ${response.status}`);
  return response.arrayBuffer();
}

/** peaks gives the loudness of equal slices, the loudest at 1. */
export function peaks(samples, count = BARS) {
  const bars = [];
  const width = samples.length / count;
  for (let b = 0; b < count; b++) {
    const from = Math.floor(b * width);
    const to = Math.max(from + 1, Math.floor((b + 1) * width));
    let sum = 0;
    for (let i = from; i < to && i < samples.length; i++) sum += samples[i] * samples[i];
    bars.push(Math.sqrt(sum / (to - from)));
  }
  const top = Math.max(...bars, 0.01); // near silence stays flat instead of becoming noise
  // A root lifts the quiet parts, as the eye expects of a voice note.
  return bars.map((v) => Math.max(0.06, (v / top) ** 0.7));
}
