// Function -> how its layers' pre-activations and activations are distributed over the picture's
// pixels, beside SIREN's theory: sirencodec/inspection, without its Kolmogorov-Smirnov distances.
import { check, decodingWork } from "./limits.js";
import { atPixels } from "./points.js";

const MOST_POINTS = 1 << 16; // pixels asked
const MOST_VALUES = 1 << 22; // of a layer at a time
const BINS = 64;
const REACH = 4; // standard deviations to each side
const PHASE_GAIN = 1; // of a pyramid's first network: fitting/pyramid/start_settings.py
const BIAS_BOUND = Math.PI / 4;
const FIRST_BIAS_BOUND = Math.PI; // of a pure network's: fitting/bounds.py
const HIDDEN_BIAS_SHARE = 0.5;

/**
 * @typedef {import("./matrices.js").Matrix} Matrix
 *
 * @typedef {object} Histogram
 * @property {number} mean @property {number} deviation
 * @property {number} low @property {number} high edges
 * @property {number[]} density in equal bins
 * @property {{deviation: number, density: number[]} | null} theory
 *
 * @typedef {object} Layer
 * @property {number} inputs @property {number} outputs
 * @property {Histogram} phases before the sine; of the last layer, the picture's values
 * @property {Histogram | null} activations after it; null for the last layer
 */

/** Function -> its layers. @param {import("./function.js").SirenFunction} picture @returns {Layer[]} */
export function inspect(picture) {
  const { header, numbers, limits } = picture;
  const [rows, columns] = axes(header);
  const work = decodingWork(header, rows.length * columns.length) * numbers.layers.length;
  check("maxMultiplyAdds", work, limits);
  const down = atPixels(rows, header.height);
  const across = atPixels(columns, header.width);
  const inputs = numbers.layers[0].columns - 1;
  const variances = predictedVariances(header, powers(picture.values(down, across, [identity(inputs)]), inputs));
  return numbers.layers.map((matrix, at) => {
    const phases = picture.values(down, across, numbers.layers.slice(0, at + 1));
    const shape = { inputs: matrix.columns - 1, outputs: matrix.rows };
    const [mean, deviation] = moments(phases);
    if (at === numbers.layers.length - 1) {
      const reach = REACH * deviation || 1;
      return { ...shape, phases: { mean, deviation, ...bin(phases, mean - reach, mean + reach), theory: null }, activations: null };
    }
    const reach = REACH * Math.sqrt(Math.max(mean * mean + deviation * deviation, variances[at]));
    const bins = bin(phases, -reach, reach);
    const activations = phases.map(Math.sin);
    const [centre, spread] = moments(activations);
    return {
      ...shape,
      phases: { mean, deviation, ...bins, theory: normal(Math.sqrt(variances[at]), bins) },
      activations: { mean: centre, deviation: spread, ...bin(activations, -1, 1), theory: arcsine() },
    };
  });
}

/** Header -> rows and columns of at most MOST_POINTS pixels: every n-th, n odd, to see all phases of the grids. @param {import("./container.js").Header} header */
function axes({ width, height, features }) {
  const most = Math.min(MOST_POINTS, Math.floor(MOST_VALUES / features));
  let stride = 1;
  while (Math.ceil(width / stride) * Math.ceil(height / stride) > most) {
    stride += 2;
  }
  return [height, width].map((side) => {
    const first = Math.min(stride, side) >> 1;
    return Array.from({ length: Math.ceil((side - first) / stride) }, (_, at) => first + at * stride);
  });
}

/** A layer that hands its inputs on. @param {number} inputs @returns {Matrix} */
function identity(inputs) {
  const numbers = new Float64Array(inputs * (inputs + 1));
  for (let row = 0; row < inputs; row++) {
    numbers[row * (inputs + 2)] = 1;
  }
  return { rows: inputs, columns: inputs + 1, numbers };
}

/** Values point by point -> mean square of each. @param {Float64Array} values @param {number} each of a point @returns {number[]} */
function powers(values, each) {
  const sums = new Array(each).fill(0);
  values.forEach((value, at) => (sums[at % each] += value * value));
  return sums.map((sum) => (sum * each) / values.length);
}

/** @param {Float64Array} values @returns {[number, number]} mean and standard deviation */
function moments(values) {
  let sum = 0;
  for (const value of values) {
    sum += value;
  }
  const mean = sum / values.length;
  let power = 0;
  for (const value of values) {
    power += (value - mean) ** 2;
  }
  return [mean, Math.sqrt(power / values.length)];
}

/** @param {Float64Array} values @param {number} low @param {number} high */
function bin(values, low, high) {
  const counts = new Array(BINS).fill(0);
  const scale = BINS / (high - low);
  for (const value of values) {
    if (value >= low && value <= high) {
      counts[Math.min(BINS - 1, Math.floor((value - low) * scale))] += 1;
    }
  }
  return { low, high, density: counts.map((count) => (count * scale) / values.length) };
}

/** @param {number} deviation @param {{low: number, high: number}} bins */
function normal(deviation, { low, high }) {
  const density = Array.from({ length: BINS }, (_, at) => {
    const x = (low + ((at + 0.5) * (high - low)) / BINS) / deviation;
    return Math.exp((-x * x) / 2) / (deviation * Math.sqrt(2 * Math.PI));
  });
  return { deviation, density };
}

/** Mean density of the arcsine distribution in bins of (-1, 1). */
function arcsine() {
  const below = (/** @type {number} */ edge) => Math.asin((2 * edge) / BINS - 1) / Math.PI;
  const density = Array.from({ length: BINS }, (_, at) => ((below(at + 1) - below(at)) * BINS) / 2);
  return { deviation: Math.SQRT1_2, density };
}

/** Bound of a uniform distribution -> its variance. @param {number} bound @returns {number} */
const uniform = (bound) => (bound * bound) / 3;

/** Mean square of each input -> variance that theory predicts of each sine layer's phases. @param {import("./container.js").Header} header @param {number[]} power @returns {number[]} */
function predictedVariances({ width, height, features, layers, omega0, grids }, power) {
  const sum = (/** @type {number[]} */ numbers) => numbers.reduce((total, number) => total + number, 0);
  let first;
  if (grids.length) {
    first = (PHASE_GAIN ** 2 / grids.length) * sum(power.slice(2)) + uniform(BIAS_BOUND);
  } else {
    const bound = omega0 / 2; // omega_0 over the number of inputs
    const scales = [width, height].map((side) => side / Math.max(width, height));
    first = sum(scales.map((scale, at) => uniform(bound * scale) * power[at])) + uniform(FIRST_BIAS_BOUND);
  }
  const bound = Math.sqrt(6 / features);
  const variances = [first];
  for (let layer = 0; layer < layers; layer++) {
    const ofSine = -Math.expm1(-2 * variances[layer]) / 2;
    variances.push(features * uniform(bound) * ofSine + uniform(bound * HIDDEN_BIAS_SHARE));
  }
  return variances;
}
