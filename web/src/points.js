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

/** @param {number} x @returns {number} */
function roundEven(x) {
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
function lanczosWeights(offset) {
  const values = [-2, -1, 0, 1, 2, 3].map((at) => sinc(offset - at) * sinc((offset - at) / 3));
  const total = values.reduce((sum, value) => sum + value);
  return values.map((value) => value / total);
}

/**
 * @param {number} start @param {number} stop @param {number} size stored pixels
 * @param {number} cells output pixels
 */
export function axisPoints(start, stop, size, cells) {
  const perCell = Math.max(1, Math.ceil((stop - start) / cells - 1e-9));
  const count = cells * perCell;
  const cell = (stop - start) / count;
  const nearest = new Int32Array(count);
  const weights = new Float64Array(6 * count);
  const coordinates = new Float64Array(count);
  let areCentres = true;
  for (let at = 0; at < count; at++) {
    const pixel = start + cell * (at + 0.5);
    const position = Math.min(Math.max(pixel, 0), size) - 0.5;
    const whole = Math.floor(position);
    nearest[at] = whole;
    coordinates[at] = (2 * pixel) / size - 1;
    weights.set(lanczosWeights(position - whole), 6 * at);
    areCentres = areCentres && position === whole && (!at || whole === nearest[at - 1] + 1);
  }
  return { count, perCell, nearest, coordinates, weights: areCentres ? null : weights };
}
