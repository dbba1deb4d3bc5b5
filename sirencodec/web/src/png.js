// Samples, strip by strip -> PNG file, to the last bit: a canvas would lose depth and what is transparent.
import { checksum } from "./container.js";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const COLOUR_TYPES = [0, 4, 2, 6]; // by channels less one

/** @param {string} type @param {Uint8Array} body @returns {Uint8Array<ArrayBuffer>} */
function chunk(type, body) {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, checksum(bytes.subarray(4, 8 + body.length)));
  return bytes;
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function collect(stream) {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {Uint8Array} bytes @returns {Promise<Uint8Array<ArrayBuffer>>} */
function deflate(bytes) {
  return collect(new Blob([bytes.slice()]).stream().pipeThrough(new CompressionStream("deflate")));
}

/** @param {number} left @param {number} up @param {number} corner @returns {number} */
function paeth(left, up, corner) {
  const base = left + up - corner;
  const [a, b, c] = [Math.abs(base - left), Math.abs(base - up), Math.abs(base - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** @type {((left: number, up: number, corner: number) => number)[]} predictions of PNG's filters 1 to 4 */
const FILTERS = [(left) => left, (_, up) => up, (left, up) => (left + up) >> 1, paeth];

/** Row and the one above -> filtered row, by the filter whose result is smallest. @param {Uint8Array} row @param {Uint8Array} above @param {number} step bytes of a pixel @returns {Uint8Array<ArrayBuffer>} */
function filter(row, above, step) {
  let best = new Uint8Array(0);
  let least = Infinity;
  FILTERS.forEach((predict, number) => {
    const own = new Uint8Array(row.length + 1);
    own[0] = number + 1;
    let sum = 0;
    for (let at = 0; at < row.length; at++) {
      const [left, corner] = at < step ? [0, 0] : [row[at - step], above[at - step]];
      const rest = (row[at] - predict(left, above[at], corner)) & 0xff;
      own[at + 1] = rest;
      sum += rest < 128 ? rest : 256 - rest;
    }
    if (sum < least) {
      [least, best] = [sum, own];
    }
  });
  return best;
}

/**
 * @param {{width: number, height: number, channels: number, bitDepth: 8 | 16}} shape
 * @param {Iterable<Uint8Array | Uint16Array>} strips whole rows each
 * @param {import("./metadata.js").Metadata} metadata whose colour profile is kept
 * @returns {Promise<Blob>}
 */
export async function writePng({ width, height, channels, bitDepth }, strips, metadata) {
  const step = (channels * bitDepth) / 8;
  const compressed = new CompressionStream("deflate");
  const collected = collect(compressed.readable);
  const writer = compressed.writable.getWriter();
  let above = new Uint8Array(width * step);
  for (const samples of strips) {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    if (bitDepth === 16) {
      bytes.forEach((byte, at) => at % 2 && ([bytes[at - 1], bytes[at]] = [byte, bytes[at - 1]])); // high byte first
    }
    for (let at = 0; at < bytes.length; at += width * step) {
      const row = bytes.slice(at, at + width * step);
      await writer.write(filter(row, above, step));
      above = row;
    }
  }
  await writer.close();
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([bitDepth, COLOUR_TYPES[channels - 1], 0, 0, 0], 8);
  const profile = metadata.icc
    ? [chunk("iCCP", new Uint8Array([...new TextEncoder().encode("ICC\0"), 0, ...(await deflate(metadata.icc))]))]
    : [];
  const parts = [SIGNATURE, chunk("IHDR", header), ...profile, chunk("IDAT", await collected), chunk("IEND", new Uint8Array(0))];
  return new Blob(parts, { type: "image/png" });
}
