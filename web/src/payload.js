// Payload -> integers of the picture (FORMAT.md, sections 5 to 8).
import { SirenError } from "./errors.js";
import { Loops, Stream } from "./loops.js";

/**
 * @typedef {object} Matrix
 * @property {number} rows @property {number} columns
 * @property {Float64Array} numbers row by row
 *
 * @typedef {object} Grid
 * @property {number} exponent @property {number} rows @property {number} columns
 * @property {number} address of int32 samples, row by row
 *
 * @typedef {object} Prior
 * @property {Matrix[]} context in units of 2^-16 @property {Matrix[]} refinement
 *
 * @typedef {object} Integers
 * @property {Matrix[]} layers @property {Matrix | null} kernels
 * @property {Matrix[]} refinement @property {Grid[]} grids
 */

const ZERO_MODEL = 144;
const PHASES = [[0, 0], [1, 1], [0, 1], [1, 0]];
const NEIGHBOURS = 9;
const OCTAVES = 7;
const SMALLEST_CONTEXT_STEP = 88;

/** @param {number} index @returns {number} */
const stepSize = (index) => (8 + (index % 8)) * 2 ** ((index >> 3) - 27);

/** Shapes of the prior's matrices. @returns {[number, number][]} */
function priorShapes() {
  /** @type {[number, number][]} */
  const shapes = [];
  for (let phase = 0; phase < PHASES.length; phase++) {
    shapes.push([24, NEIGHBOURS * (2 + phase) + OCTAVES], [24, 25], [2, 25]);
  }
  return [...shapes, [8, NEIGHBOURS * OCTAVES + 1], [2, NEIGHBOURS * 8 + 1]];
}

const NUM_CONTEXT = 12;

/**
 * Side information and levels -> matrices as levels, and their steps.
 * @param {Loops} loops @param {Uint8Array} data @param {[number, number][]} shapes
 */
function readMatrices(loops, data, shapes) {
  const sideBytes = 2 * shapes.length;
  if (data.length < sideBytes) {
    throw new SirenError("CorruptError", "payload is shorter than its matrices' parameters");
  }
  const stream = new Stream(loops, data.slice(sideBytes));
  const models = shapes.map((_, at) => data[2 * at + 1]);
  if (Math.max(...models) > ZERO_MODEL) {
    throw new SirenError("CorruptError", "model index is unknown");
  }
  const matrices = shapes.map(([rows, columns], at) => {
    const step = data[2 * at];
    if (models[at] === ZERO_MODEL && step) {
      throw new SirenError("CorruptError", "a matrix of zeros has a step");
    }
    const levels =
      models[at] === ZERO_MODEL
        ? new Int32Array(rows * columns)
        : stream.levels(rows * columns, models[at]);
    return { rows, columns, levels, step };
  });
  return { matrices, stream };
}

/** @param {{rows: number, columns: number, levels: Int32Array, step: number}} matrix @returns {Matrix} */
function dequantize({ rows, columns, levels, step }) {
  return { rows, columns, numbers: Float64Array.from(levels, (level) => level * stepSize(step)) };
}

/** Matrices of a prior, or differences from one -> numbers. @param {any[]} matrices @returns {Prior} */
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

/** The shipped prior's file -> its numbers. @param {Loops} loops @param {Uint8Array} data */
export function readPrior(loops, data) {
  const { matrices, stream } = readMatrices(loops, data, priorShapes());
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

/**
 * Payload -> integers. Who is done with them frees the grids.
 * @param {Loops} loops @param {import("./container.js").Container} container @param {Prior} prior
 * @returns {Integers}
 */
export function decodePayload(loops, { header, payload }, prior) {
  const { features, channels, grids, width, height } = header;
  /** @type {[number, number][]} */
  const shapes = [[features, 2 + grids.length + 1]];
  for (let layer = 0; layer < header.layers; layer++) {
    shapes.push([features, features + 1]);
  }
  shapes.push([channels, features + 1]);
  const numLayers = shapes.length;
  const octaves = grids.length ? grids[grids.length - 1] : 0;
  if (octaves) {
    shapes.push([octaves, 4]);
  }
  if (grids.length) {
    shapes.push(...priorShapes());
  }
  const { matrices, stream } = readMatrices(loops, payload, shapes);
  /** @type {Integers} */
  const integers = { layers: matrices.slice(0, numLayers).map(dequantize), kernels: null, refinement: [], grids: [] };
  if (octaves) {
    integers.kernels = dequantize(matrices[numLayers]);
    if (integers.kernels.numbers.some((number) => Math.abs(number) > 16)) {
      throw new SirenError("CorruptError", "a number of the upsampling kernels is too large");
    }
  }
  if (grids.length) {
    const changes = toPrior(matrices.slice(-priorShapes().length));
    integers.refinement = adapt(prior.refinement, changes.refinement, 16, "refinement");
    const context = adapt(prior.context, changes.context, 2 ** 26, "context model");
    integers.grids = decodeGrids(loops, stream, grids, width, height, context);
  }
  stream.finish();
  stream.free();
  return integers;
}

/** @param {Loops} loops @param {Stream} stream @param {number[]} exponents @param {number} width @param {number} height @param {Matrix[]} context @returns {Grid[]} */
function decodeGrids(loops, stream, exponents, width, height, context) {
  const grids = exponents.map((exponent) => {
    const rows = Math.ceil(height / 2 ** exponent);
    const columns = Math.ceil(width / 2 ** exponent);
    return { exponent, rows, columns, address: loops.take(4 * rows * columns) };
  });
  for (const grid of [...grids].reverse()) {
    decodeGrid(loops, stream, grid, (exponent) => grids.find((each) => each.exponent === exponent), context);
  }
  return grids;
}

/** @param {Loops} loops @param {Stream} stream @param {Grid} grid @param {(exponent: number) => Grid | undefined} find @param {Matrix[]} context */
function decodeGrid(loops, stream, grid, find, context) {
  const { rows, columns, exponent, address } = grid;
  const [down, across] = [(rows + 1) >> 1, (columns + 1) >> 1];
  const nothing = [address, 1, 1, 0, 0, 0, 0, 0];
  // Fields of `struct latent_source`.
  const sources = [1, 2].map((finer, shift) => {
    const coarser = find(exponent + finer);
    return coarser ? [coarser.address, coarser.columns, 1, shift, 0, down, 0, across] : nothing;
  });
  PHASES.forEach(([top, left], phase) => {
    const [high, wide] = [(rows - top + 1) >> 1, (columns - left + 1) >> 1];
    if (!high || !wide) {
      sources.push(nothing);
      return;
    }
    const first = address + 4 * (top * columns + left);
    const [wholes, tables] = [loops.take(2 * high * wide), loops.take(2 * high * wide)];
    predict(loops, sources, high, wide, networkOf(context.slice(3 * phase, 3 * phase + 3), sources.length, exponent), wholes, tables);
    stream.residuals([wholes, tables, high, wide, first, 2 * columns, 2]);
    loops.free(wholes);
    loops.free(tables);
    sources.push([first, 2 * columns, 2, 0, 0, high, 0, wide]);
  });
}

/** Context model -> its matrices for one grid, biases in units of the products. @param {Matrix[]} matrices @param {number} numSources @param {number} exponent @returns {Matrix[]} */
function networkOf(matrices, numSources, exponent) {
  return matrices.map(({ rows, columns, numbers }, layer) => {
    const inputs = layer ? columns - 1 : NEIGHBOURS * numSources;
    const bias = layer ? columns - 1 : inputs + exponent;
    const unit = layer ? 4096 : 8;
    const own = new Float64Array(rows * (inputs + 1));
    for (let row = 0; row < rows; row++) {
      own.set(numbers.subarray(row * columns, row * columns + inputs), row * (inputs + 1));
      own[row * (inputs + 1) + inputs] = numbers[row * columns + bias] * unit;
    }
    return { rows, columns: inputs + 1, numbers: own };
  });
}

/** @param {Loops} loops @param {number[][]} sources @param {number} high @param {number} wide @param {Matrix[]} network @param {number} wholes @param {number} tables */
function predict(loops, sources, high, wide, network, wholes, tables) {
  const described = loops.putInt32(sources.flat());
  const weights = network.map(({ numbers }) => loops.putFloat64(numbers));
  const layers = loops.putInt32(network.flatMap(({ rows, columns }, at) => [weights[at], 0, rows, columns - 1]));
  const scales = loops.putFloat64([2 ** -7, 2 ** -16]);
  const task = loops.putInt32([described, sources.length, 0, high, 0, wide, layers, network.length, scales, 0, 0, 0, wholes, tables]);
  new DataView(loops.exports.memory.buffer).setFloat64(task + 40, 2 ** 20, true);
  const failed = loops.exports.sirencodec_predict_phase_double(task);
  [described, ...weights, layers, scales, task].forEach((each) => loops.free(each));
  if (failed) {
    throw new SirenError("LimitError", "not enough memory");
  }
}
