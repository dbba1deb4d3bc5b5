// Interval of pixels -> the points to ask along an axis, and the pixels around each (FORMAT.md, 9).
// The same operations, in the same order, as synthesis/points.py: the same numbers.

const SERIES = Array.from({ length: 11 }, (_, n) => {
  let factorial = 1;
  for (let k = 2; k <= 2 * n + 1; k++) {
    factorial *= k;
  }
  return (n % 2 ? -1 : 1) / factorial;
});

/** Sine of up to a quarter turn. @param {number} x @returns {number} */
function sine(x) {
  const square = x * x;
  let sum = SERIES[10];
  for (let n = 9; n >= 0; n--) {
    sum = sum * square + SERIES[n];
  }
  return sum * x;
}

/** Halves to even. @param {number} x @returns {number} */
export function roundEven(x) {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 ? nearest - 1 : nearest;
}

/** @param {number} x @returns {number} */
function sinc(x) {
  if (x === 0) {
    return 1;
  }
  const whole = roundEven(x);
  return (sine(Math.PI * (x - whole)) * (whole % 2 ? -1 : 1)) / (Math.PI * x);
}

/** Distance past a pixel, 0 to 1 -> weights of the six around. @param {number} offset */
export function lanczosWeights(offset) {
  const values = [-2, -1, 0, 1, 2, 3].map((at) => sinc(offset - at) * sinc((offset - at) / 3));
  const total = values.reduce((sum, value) => sum + value);
  return values.map((value) => value / total);
}

/**
 * Rising points along an axis.
 * @typedef {object} AxisPoints
 * @property {number} perCell points that make an output pixel
 * @property {Int32Array} nearest the last pixel whose centre is not beyond the point
 * @property {Float64Array | null} weights six each; null if all are centres of consecutive pixels
 * @property {Float64Array} coordinates that the network sees
 */

/**
 * @param {number} start @param {number} stop @param {number} size stored pixels
 * @param {number} cells output pixels @param {number} perCell points of each
 * @param {number} octave pixels of the reduced picture stand for 2^octave
 * @returns {AxisPoints}
 */
export function axisPoints(start, stop, size, cells, perCell, octave) {
  const count = cells * perCell;
  const cell = (stop - start) / count;
  const pixels = Math.ceil(size / 2 ** octave);
  const nearest = new Int32Array(count);
  const weights = new Float64Array(6 * count);
  const coordinates = new Float64Array(count);
  let areCentres = true;
  for (let at = 0; at < count; at++) {
    const pixel = start + cell * (at + 0.5);
    const position = Math.min(Math.max(pixel / 2 ** octave, 0), pixels) - 0.5;
    const whole = Math.floor(position);
    nearest[at] = whole;
    coordinates[at] = (2 * pixel) / size - 1;
    weights.set(lanczosWeights(position - whole), 6 * at);
    areCentres = areCentres && position === whole && (!at || whole === nearest[at - 1] + 1);
  }
  return { perCell, nearest, coordinates, weights: areCentres ? null : weights };
}

/** Some pixels along an axis, rising -> their centres. @param {number[]} pixels @param {number} size @returns {AxisPoints} */
export function atPixels(pixels, size) {
  const weights = new Float64Array(6 * pixels.length);
  pixels.forEach((_, at) => (weights[6 * at + 2] = 1));
  return {
    perCell: 1,
    nearest: Int32Array.from(pixels),
    weights,
    coordinates: Float64Array.from(pixels, (pixel) => (2 * pixel + 1) / size - 1),
  };
}

