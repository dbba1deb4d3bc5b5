// Metadata section -> EXIF's orientation, ICC profile and the other blocks (FORMAT.md, section 4).
import { Decompress } from "./fzstd/index.js";

const MOST_BYTES = 16 * 2 ** 20; // inflated, as in the Python package
const MOST_WINDOW = 2 ** 23;
const PIECE = 256; // fed at a time: a few bytes can make a block of 128 KiB
const ORIENTATION_TAG = 0x112;

/**
 * @typedef {object} Metadata
 * @property {Uint8Array | null} icc @property {Uint8Array | null} exif @property {Uint8Array | null} xmp
 * @property {boolean} isDamaged
 */

/** @type {Metadata} */
export const NO_METADATA = { icc: null, exif: null, xmp: null, isDamaged: false };

/** Frame -> its blocks; a damaged one must not cost the picture. @param {Uint8Array | null} frame @returns {Metadata} */
export function readMetadata(frame) {
  if (!frame) {
    return NO_METADATA;
  }
  try {
    return readBlocks(inflate(frame));
  } catch {
    return { ...NO_METADATA, isDamaged: true };
  }
}

/** @param {Uint8Array} frame @returns {Uint8Array} */
function inflate(frame) {
  if (windowBytes(frame) > MOST_WINDOW) {
    throw new Error("the window is too large");
  }
  /** @type {Uint8Array[]} */
  const parts = [];
  let length = 0;
  const stream = new Decompress((part) => {
    parts.push(part.slice());
    length += part.length;
    if (length > MOST_BYTES) {
      throw new Error("it is too long");
    }
  });
  for (let at = 0; at < frame.length; at += PIECE) {
    stream.push(frame.subarray(at, at + PIECE), at + PIECE >= frame.length);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What decompressing a frame takes, from its header (RFC 8878, 3.1.1.1). @param {Uint8Array} frame @returns {number} */
function windowBytes(frame) {
  const descriptor = frame[4];
  if (!(descriptor & 0x20)) {
    const [exponent, mantissa] = [frame[5] >> 3, frame[5] & 7];
    return 2 ** (10 + exponent) * (1 + mantissa / 8);
  }
  const start = 5 + [0, 1, 2, 4][descriptor & 3];
  const bytes = [1, 2, 4, 8][descriptor >> 6];
  const size = frame.subarray(start, start + bytes).reduceRight((sum, byte) => sum * 256 + byte, 0);
  return size + (bytes === 2 ? 256 : 0);
}

/** @param {Uint8Array} body @returns {Metadata} */
function readBlocks(body) {
  let at = 0;
  const blocks = [0, 1, 2].map(() => {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= body.length || shift > 21) {
        throw new Error("a block's length is malformed");
      }
      const byte = body[at++];
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        break;
      }
    }
    if (!length) {
      return null;
    }
    at += length - 1;
    if (at > body.length) {
      throw new Error("it ends inside a block");
    }
    return body.slice(at - (length - 1), at);
  });
  if (at !== body.length) {
    throw new Error("bytes follow the last block");
  }
  const [icc, exif, xmp] = blocks;
  return { icc, exif, xmp, isDamaged: false };
}

/** EXIF -> its orientation, 1 to 8; 1 if it has none that makes sense. @param {Uint8Array | null} exif @returns {number} */
export function readOrientation(exif) {
  if (!exif || exif.length < 14) {
    return 1;
  }
  const view = new DataView(exif.buffer, exif.byteOffset, exif.length);
  const isLittle = view.getUint16(0) === 0x4949;
  try {
    const directory = view.getUint32(4, isLittle);
    const entries = view.getUint16(directory, isLittle);
    for (let entry = 0; entry < entries; entry++) {
      const place = directory + 2 + 12 * entry;
      if (view.getUint16(place, isLittle) === ORIENTATION_TAG) {
        const value = view.getUint16(place + 8, isLittle);
        return value >= 1 && value <= 8 ? value : 1;
      }
    }
  } catch {
    // It points beyond its end.
  }
  return 1;
}
