// Opus packets into an Ogg file (RFC 3533 for the pages, RFC 7845 for Opus in them).

// The page checksum: polynomial 0x04c11db7, most significant bit first, start
// value 0, no final inversion. It is not the CRC-32 of zip and Ethernet.
const CRC = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let r = i << 24;
  for (let bit = 0; bit < 8; bit++) r = r & 0x80000000 ? (r << 1) ^ 0x04c11db7 : r << 1;
  CRC[i] = r >>> 0;
}

/** pageChecksum of a whole page whose checksum field is zero. */
export function pageChecksum(page) {
  let crc = 0;
  for (const byte of page) crc = ((crc << 8) ^ CRC[((crc >>> 24) ^ byte) & 0xff]) >>> 0;
  return crc;
}

/** samplesIn reads an Opus packet's length, in samples at 48 kHz, from its first bytes (RFC 6716, section 3.1). */
export function samplesIn(packet) {
  const config = packet[0] >> 3;
  let frame;
  if (config < 12) frame = [480, 960, 1920, 2880][config & 3]; // SILK: 10, 20, 40, 60 ms
  else if (config < 16) frame = [480, 960][config & 1]; // hybrid: 10, 20 ms
  else frame = [120, 240, 480, 960][config & 3]; // CELT: 2.5, 5, 10, 20 ms
  const code = packet[0] & 3;
  return frame * (code === 0 ? 1 : code < 3 ? 2 : packet[1] & 0x3f);
}

const FIRST = 2; // header flag: first page of the stream
const LAST = 4; // header flag: last page of the stream
const MAX_SEGMENTS = 255;
const PAGE_SAMPLES = 48_000; // a page a second at most, so that a player can seek
const VENDOR = "phone page";

const ascii = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** A writer of one mono stream. Packets go in as they come; finish gives the file. */
export class OggOpusWriter {
  #parts = [];
  #serial = crypto.getRandomValues(new Uint32Array(1))[0];
  #sequence = 0;
  #packets = [];
  #segments = 0;
  #pageSamples = 0;
  #granule = 0; // samples decoded up to the end of the last packet taken
  #preSkip;

  /**
   * preSkip: samples at 48 kHz that a decoder throws away first (the encoder's
   * look-ahead). inputRate: of the recording, only told, not used in decoding.
   */
  constructor({ preSkip = 312, inputRate = 48_000 } = {}) {
    this.#preSkip = preSkip;
    const head = new Uint8Array(19);
    const view = new DataView(head.buffer);
    head.set(ascii("OpusHead"));
    head[8] = 1; // version
    head[9] = 1; // channels
    view.setUint16(10, preSkip, true);
    view.setUint32(12, inputRate, true);
    // 16: output gain 0 dB; 18: mapping family 0, mono or stereo.
    this.#page([head], 0, FIRST);

    const tags = new Uint8Array(8 + 4 + VENDOR.length + 4);
    tags.set(ascii("OpusTags"));
    new DataView(tags.buffer).setUint32(8, VENDOR.length, true);
    tags.set(ascii(VENDOR), 12);
    this.#page([tags], 0, 0);
  }

  get granule() {
    return this.#granule;
  }

  /** add takes one packet. */
  add(packet) {
    const samples = samplesIn(packet);
    const segments = Math.floor(packet.length / 255) + 1;
    if (this.#packets.length && (this.#segments + segments > MAX_SEGMENTS || this.#pageSamples + samples > PAGE_SAMPLES)) this.#flush(0);
    this.#packets.push(packet);
    this.#segments += segments;
    this.#pageSamples += samples;
    this.#granule += samples;
  }

  /**
   * finish closes the stream. The end granule says where the sound really ends
   * (pre-skip plus the samples recorded), so that a player cuts the padding of
   * the last packet (RFC 7845, section 4.4).
   */
  finish(samples) {
    if (!this.#packets.length) throw new Error("finish ogg stream: no audio packet");
    this.#granule = Math.min(this.#granule, this.#preSkip + samples);
    this.#flush(LAST);
    return new Blob(this.#parts, { type: "audio/ogg; codecs=opus" });
  }

  #flush(flags) {
    this.#page(this.#packets, this.#granule, flags);
    this.#packets = [];
    this.#segments = 0;
    this.#pageSamples = 0;
  }

  #page(packets, granule, flags) {
    const lacing = [];
    for (const packet of packets) {
      let left = packet.length;
      for (; left >= 255; left -= 255) lacing.push(255);
      lacing.push(left);
    }
    const size = packets.reduce((sum, p) => sum + p.length, 0);
    const page = new Uint8Array(27 + lacing.length + size);
    const view = new DataView(page.buffer);
    page.set(ascii("OggS"));
    page[5] = flags;
    view.setBigUint64(6, BigInt(granule), true);
    view.setUint32(14, this.#serial, true);
    view.setUint32(18, this.#sequence++, true);
    page[26] = lacing.length;
    page.set(lacing, 27);
    let at = 27 + lacing.length;
    for (const packet of packets) {
      page.set(packet, at);
      at += packet.length;
    }
    view.setUint32(22, pageChecksum(page), true);
    this.#parts.push(page);
  }
}
