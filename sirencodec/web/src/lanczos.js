// What others do: the picture decoded at its stored size, enlarged by Lanczos' kernel of six taps.
import { axisPoints } from "./points.js";

const BEFORE = 2; // taps before the nearest pixel
const TAPS = 6;
const REACH = 3; // pixels around the part that is enlarged

/**
 * Size and part -> samples of 8 bits, enlarged. Only the pixels around the part are decoded.
 * @param {import("./function.js").SirenFunction} picture @param {number} width @param {number} height
 * @param {import("./region.js").Crop} crop
 * @returns {Uint8Array}
 */
export function enlargeByLanczos(picture, width, height, crop) {
  const { header } = picture;
  const [left, top, across, down] = crop;
  const [first, end] = [Math.max(0, Math.floor(left) - REACH), Math.min(header.width, Math.ceil(left + across) + REACH)];
  const [above, below] = [Math.max(0, Math.floor(top) - REACH), Math.min(header.height, Math.ceil(top + down) + REACH)];
  const [columns, rows, channels] = [end - first, below - above, header.channels];
  const stored = picture.sample(columns, rows, [first, above, columns, rows], { bitDepth: 8 });
  const horizontal = taps(axisPoints(left, left + across, header.width, width, 1, 0), header.width, first);
  const vertical = taps(axisPoints(top, top + down, header.height, height, 1, 0), header.height, above);
  const wide = new Float32Array(rows * width * channels);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let tap = x * TAPS; tap < (x + 1) * TAPS; tap++) {
          sum += horizontal.weights[tap] * stored[(y * columns + horizontal.pixels[tap]) * channels + channel];
        }
        wide[(y * width + x) * channels + channel] = sum;
      }
    }
  }
  const samples = new Uint8ClampedArray(height * width * channels);
  const length = width * channels;
  for (let y = 0; y < height; y++) {
    for (let at = 0; at < length; at++) {
      let sum = 0;
      for (let tap = y * TAPS; tap < (y + 1) * TAPS; tap++) {
        sum += vertical.weights[tap] * wide[vertical.pixels[tap] * length + at];
      }
      samples[y * length + at] = sum;
    }
  }
  return new Uint8Array(samples.buffer);
}

/** Points -> six pixels each, counted from the first decoded one, and their weights. @param {import("./points.js").AxisPoints} points @param {number} size @param {number} first */
function taps({ nearest, weights }, size, first) {
  const pixels = new Int32Array(TAPS * nearest.length);
  const own = weights ?? new Float64Array(TAPS * nearest.length).map((_, at) => (at % TAPS === BEFORE ? 1 : 0));
  for (let at = 0; at < pixels.length; at++) {
    const pixel = nearest[Math.floor(at / TAPS)] - BEFORE + (at % TAPS);
    pixels[at] = Math.min(Math.max(pixel, 0), size - 1) - first;
  }
  return { pixels, weights: own };
}
