// Numbers of a file -> those of the picture in an octave: synthesis/picture.py, operation by operation.
import { DETAIL_GRIDS } from "./region.js";
import { roundEven } from "./points.js";

/** @typedef {import("./matrices.js").Matrix} Matrix */

const NEIGHBOURS = 9;
const MEAN_PARTS = 64; // of a level, that means of latents are rounded to
const INPUTS = 2;

/** Refinement of all grids -> the part that concerns those of a file. @param {number[]} exponents @param {Matrix[]} refinement @returns {Matrix[]} */
export function localRefinement(exponents, refinement) {
  const refined = exponents.filter((exponent) => exponent < 2);
  if (!refined.length) {
    return [];
  }
  const [first, second] = refinement;
  const inputs = NEIGHBOURS * exponents.length;
  const own = new Float64Array(first.rows * (inputs + 1));
  for (let row = 0; row < first.rows; row++) {
    const from = row * first.columns + NEIGHBOURS * exponents[0];
    own.set(first.numbers.subarray(from, from + inputs), row * (inputs + 1));
    own[row * (inputs + 1) + inputs] = first.numbers[(row + 1) * first.columns - 1];
  }
  const begin = exponents[0] * second.columns;
  const numbers = second.numbers.slice(begin, begin + refined.length * second.columns);
  return [
    { rows: first.rows, columns: inputs + 1, numbers: own },
    { rows: refined.length, columns: second.columns, numbers },
  ];
}

/**
 * Factors of the features in an octave: the gain that the missing doublings have on a constant.
 * @param {number[]} exponents @param {Matrix | null} kernels @param {number} octave @returns {number[]}
 */
export function featureFactors(exponents, kernels, octave) {
  const gains = [1];
  for (let row = 0; row < (kernels ? kernels.rows : 0); row++) {
    const [a, b, c, d] = /** @type {Matrix} */ (kernels).numbers.subarray(4 * row, 4 * row + 4);
    const sum = a + b + c + d;
    gains.push(gains[row] * (sum * sum));
  }
  return exponents.map((exponent) => gains[Math.min(exponent, octave)] / MEAN_PARTS);
}

/** First layer -> the same for features in other units. @param {Matrix} first @param {number[]} factors @returns {Matrix} */
export function scaleFeatures(first, factors) {
  const numbers = first.numbers.slice();
  for (let row = 0; row < first.rows; row++) {
    factors.forEach((factor, at) => (numbers[row * first.columns + INPUTS + at] *= factor));
  }
  return { ...first, numbers };
}

/** Nine numbers -> their sum, in the order in which NumPy adds them. @param {Float64Array} nine @returns {number} */
function sumOfNine([a, b, c, d, e, f, g, h, i]) {
  return a + b + (c + d) + (e + f + (g + h)) + i;
}

/** Refinement -> the same for features in other units that have one value around each pixel. @param {Matrix[]} refinement @param {number[]} factors @returns {Matrix[]} */
export function flatten(refinement, factors) {
  return refinement.map(({ rows, columns, numbers }, which) => {
    const own = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const start = row * columns;
      for (let at = 0; at + NEIGHBOURS < columns; at += NEIGHBOURS) {
        const sum = sumOfNine(numbers.subarray(start + at, start + at + NEIGHBOURS));
        const place = start + at + (NEIGHBOURS >> 1);
        own[place] = which ? sum / factors[row] : sum * factors[at / NEIGHBOURS];
      }
      const bias = start + columns - 1;
      own[bias] = which ? numbers[bias] / factors[row] : numbers[bias];
    }
    return { rows, columns, numbers: own };
  });
}

/**
 * Grid -> the same in parts of a level, and of grids finer than the octave's pixels the means.
 * @param {Int32Array} samples @param {{rows: number, columns: number, exponent: number}} grid
 * @param {number} octave @param {{rows: number, columns: number}} reduced its pixels
 * @returns {Int32Array | null} null for zeros
 */
export function reduceGrid(samples, { rows, columns, exponent }, octave, reduced) {
  if (exponent >= octave) {
    return samples.map((sample) => sample * MEAN_PARTS);
  }
  if (exponent < DETAIL_GRIDS) {
    return null;
  }
  const side = 2 ** (octave - exponent);
  const means = new Int32Array(reduced.rows * reduced.columns);
  for (let y = 0; y < reduced.rows; y++) {
    for (let x = 0; x < reduced.columns; x++) {
      let total = 0;
      for (let down = y * side; down < (y + 1) * side; down++) {
        const row = Math.min(down, rows - 1) * columns;
        for (let across = x * side; across < (x + 1) * side; across++) {
          total += samples[row + Math.min(across, columns - 1)];
        }
      }
      means[y * reduced.columns + x] = roundEven((total * MEAN_PARTS) / side ** 2);
    }
  }
  return means;
}
