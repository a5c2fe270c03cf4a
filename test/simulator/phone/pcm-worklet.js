// Runs on the audio thread: passes the microphone on as mono pieces of 2,048
// samples (43 ms at 48 kHz), few enough messages to be cheap, often enough for
// a level meter that looks alive.

const PIECE = 2048;

class PCMTap extends AudioWorkletProcessor {
  #piece = new Float32Array(PIECE);
  #filled = 0;
  #open = true;

  constructor() {
    super();
    this.port.onmessage = () => {
      // Any message means stop: send the rest, then say that it was the last.
      if (this.#filled) this.#post();
      this.port.postMessage(null);
      this.#open = false;
    };
  }

  #post() {
    const piece = this.#piece.slice(0, this.#filled);
    this.port.postMessage(piece, [piece.buffer]);
    this.#filled = 0;
  }

  process([input]) {
    if (!this.#open) return false;
    if (!input.length) return true; // nothing connected yet
    for (let i = 0; i < input[0].length; i++) {
      let sum = 0;
      for (const channel of input) sum += channel[i];
      this.#piece[this.#filled++] = sum / input.length;
      if (this.#filled === PIECE) this.#post();
    }
    return true;
  }
}

registerProcessor("pcm-tap", PCMTap);
