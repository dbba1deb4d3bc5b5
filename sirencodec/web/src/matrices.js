// Coded matrices -> numbers of network, kernels, context model and refinement (FORMAT.md, 5 and 7).
import { SirenError } from "./errors.js";
import { Loops, Stream } from "./loops.js";

/**
 * @typedef {object} Matrix
 * @property {number} rows @property {number} columns
 * @property {Float64Array} numbers row by row
 *
 * @typedef {object} Levels a matrix as it is coded
 * @property {number} rows @property {number} columns @property {Int32Array} levels @property {number} step
 *
 * @typedef {object} Prior
 * @property {Matrix[]} context in units of 2^-16 @property {Matrix[]} refinement
 *
 * @typedef {object} Numbers
 * @property {Matrix[]} layers @property {Matrix | null} kernels
 * @property {Matrix[]} refinement of all grids
 * @property {Int32Array[]} levels of all matrices, as they are coded
 *
 * @typedef {import("./container.js").Header} Header
 */

const ZERO_MODEL = 144;
const NUM_PHASES = 4;
const NEIGHBOURS = 9;
const OCTAVES = 7;
const SMALLEST_CONTEXT_STEP = 88;

/** @param {number} index @returns {number} */
const stepSize = (index) => (8 + (index % 8)) * 2 ** ((index >> 3) - 27);

/** Shapes of the prior's matrices. @returns {[number, number][]} */
function priorShapes() {
  /** @type {[number, number][]} */
  const shapes = [];
  for (let phase = 0; phase < NUM_PHASES; phase++) {
    shapes.push([24, NEIGHBOURS * (2 + phase) + OCTAVES], [24, 25], [2, 25]);
  }
  return [...shapes, [8, NEIGHBOURS * OCTAVES + 1], [2, NEIGHBOURS * 8 + 1]];
}

const NUM_CONTEXT = 12;

/** Side information and the stream behind it -> matrices as levels, and their steps. @param {Uint8Array} side @param {Stream} stream @param {[number, number][]} shapes @returns {Levels[]} */
export function readMatrices(side, stream, shapes) {
  const models = shapes.map((_, at) => side[2 * at + 1]);
  if (Math.max(...models) > ZERO_MODEL) {
    throw new SirenError("CorruptError", "model index is unknown");
  }
  return shapes.map(([rows, columns], at) => {
    const step = side[2 * at];
    if (models[at] === ZERO_MODEL && step) {
      throw new SirenError("CorruptError", "a matrix of zeros has a step");
    }
    const levels =
      models[at] === ZERO_MODEL ? new Int32Array(rows * columns) : stream.levels(rows * columns, models[at]);
    return { rows, columns, levels, step };
  });
}

/** @param {Levels} matrix @returns {Matrix} */
function dequantize({ rows, columns, levels, step }) {
  return { rows, columns, numbers: Float64Array.from(levels, (level) => level * stepSize(step)) };
}

/** Matrices of a prior, or differences from one -> numbers. @param {Levels[]} matrices @returns {Prior} */
function toPrior(matrices) {
  const context = matrices.slice(0, NUM_CONTEXT).map((matrix) => {
    if (matrix.step < SMALLEST_CONTEXT_STEP && matrix.levels.some(Boolean)) {
      throw new SirenError("CorruptError", "step of the context model is too fine");
    }
    const { rows, columns, numbers } = dequantize(matrix);
    return { rows, columns, numbers: numbers.map((number) => number * 65536) };
  });
  return { context, refinement: matrices.slice(NUM_CONTEXT).map(dequantize) };
}

/** The shipped prior's file -> its numbers. @param {Loops} loops @param {Uint8Array} data @returns {Prior} */
export function readPrior(loops, data) {
  const sideBytes = 2 * priorShapes().length;
  const stream = new Stream(loops, data.length - sideBytes, true);
  stream.feed(data.subarray(sideBytes));
  loops.exports.sirencodec_begin_stream(stream.state);
  const matrices = readMatrices(data, stream, priorShapes());
  stream.finish();
  stream.free();
  return toPrior(matrices);
}

/** @param {Matrix[]} base @param {Matrix[]} changes @param {number} largest @param {string} what */
function adapt(base, changes, largest, what) {
  return base.map(({ rows, columns, numbers }, at) => {
    const sum = numbers.map((number, place) => number + changes[at].numbers[place]);
    if (sum.some((number) => Math.abs(number) > largest)) {
      throw new SirenError("CorruptError", `a number of the ${what} is too large`);
    }
    return { rows, columns, numbers: sum };
  });
}

/** Shapes of a file's matrices. @param {Header} header @returns {[number, number][][]} layers, kernels, and differences from the prior */
export function matrixShapes({ features, layers, channels, grids }) {
  /** @type {[number, number][]} */
  const network = [[features, 2 + grids.length + 1]];
  for (let layer = 0; layer < layers; layer++) {
    network.push([features, features + 1]);
  }
  network.push([channels, features + 1]);
  const octaves = grids.length ? grids[grids.length - 1] : 0;
  return [network, octaves ? [[octaves, 4]] : [], grids.length ? priorShapes() : []];
}

/** Levels of all matrices -> numbers, and the context model. @param {Header} header @param {Levels[]} matrices @param {Prior} prior @returns {{numbers: Numbers, context: Matrix[]}} */
export function toNumbers(header, matrices, prior) {
  const shapes = matrixShapes(header);
  const layers = matrices.slice(0, shapes[0].length).map(dequantize);
  const kernels = shapes[1].length ? dequantize(matrices[layers.length]) : null;
  if (kernels && kernels.numbers.some((number) => Math.abs(number) > 16)) {
    throw new SirenError("CorruptError", "a number of the upsampling kernels is too large");
  }
  const levels = matrices.map((each) => each.levels);
  if (!header.grids.length) {
    return { numbers: { layers, kernels, refinement: [], levels }, context: [] };
  }
  const changes = toPrior(matrices.slice(-shapes[2].length));
  const refinement = adapt(prior.refinement, changes.refinement, 16, "refinement");
  const context = adapt(prior.context, changes.context, 2 ** 26, "context model");
  return { numbers: { layers, kernels, refinement, levels }, context };
}
