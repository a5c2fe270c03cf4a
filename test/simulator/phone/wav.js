// Sound as a 16-bit mono WAV file, for browsers that cannot encode Opus: the
// simulator then encodes it.

/** A writer with the same two steps as the Opus one: push samples, finish. */
export class WavNote {
  #chunks = [];
  #samples = 0;
  #rate;

  constructor(rate) {
    this.#rate = rate;
  }

  async push(samples) {
    const pcm = new Int16Array(samples.length);
    for (let i = 0; i < samples.length; i++) pcm[i] = Math.round(Math.max(-1, Math.min(1, samples[i])) * 32767);
    this.#chunks.push(pcm);
    this.#samples += samples.length;
  }

  async finish() {
    const size = this.#samples * 2;
    const head = new DataView(new ArrayBuffer(44));
    const word = (at, text) => [...text].forEach((c, i) => head.setUint8(at + i, c.charCodeAt(0)));
    word(0, "RIFF");
    head.setUint32(4, 36 + size, true);
    word(8, "WAVEfmt ");
    head.setUint32(16, 16, true); // length of this block
    head.setUint16(20, 1, true); // PCM
    head.setUint16(22, 1, true); // channels
    head.setUint32(24, this.#rate, true);
    head.setUint32(28, this.#rate * 2, true); // bytes a second
    head.setUint16(32, 2, true); // bytes a sample
    head.setUint16(34, 16, true); // bits a sample
    word(36, "data");
    head.setUint32(40, size, true);
    // Int16Array is in the machine's order; every machine a browser runs on is little-endian.
    const blob = new Blob([head, ...this.#chunks], { type: "audio/wav" });
    return { blob, filename: "voice.wav", seconds: this.#samples / this.#rate };
  }

  cancel() {
    this.#chunks = [];
  }
}
