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
 * @property {number} address of int32 samples, row by row; 0 while nothing is known of it
 *
 * @typedef {object} Prior
 * @property {Matrix[]} context in units of 2^-16 @property {Matrix[]} refinement
 *
 * @typedef {object} Numbers
 * @property {Matrix[]} layers @property {Matrix | null} kernels
 * @property {Matrix[]} refinement of all grids
 * @property {Int32Array[]} levels of all matrices, as they are coded
 *
 * @typedef {{matrices: Numbers} | {grid: Grid} | null} Part of a payload; null: no more has arrived
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
 * @typedef {object} Levels a matrix as it is coded
 * @property {number} rows @property {number} columns @property {Int32Array} levels @property {number} step
 */

/**
 * Bytes of a payload, as they arrive.
 */
export class Arriving {
  /** @param {number} size of all of them */
  constructor(size) {
    this.size = size;
    this.bytes = new Uint8Array(0);
    /** @type {Stream | null} */
    this.stream = null;
    this.sideBytes = 0;
  }

  /** @param {Uint8Array} bytes the next ones */
  feed(bytes) {
    if (this.stream) {
      this.stream.feed(bytes);
      return;
    }
    const all = new Uint8Array(this.bytes.length + bytes.length);
    all.set(this.bytes);
    all.set(bytes, this.bytes.length);
    this.bytes = all;
  }

  /** Indices of the matrices, and the stream behind them. @param {Loops} loops @param {number} sideBytes */
  *begin(loops, sideBytes) {
    if (this.size < sideBytes) {
      throw new SirenError("CorruptError", "payload is shorter than its matrices' parameters");
    }
    while (this.bytes.length < sideBytes) {
      yield null;
    }
    const stream = new Stream(loops, this.size - sideBytes);
    stream.feed(this.bytes.subarray(sideBytes));
    this.stream = stream;
    return { side: this.bytes.slice(0, sideBytes), stream };
  }

  free() {
    this.stream?.free();
  }
}

/**
 * Side information and levels -> matrices as levels, and their steps.
 * @param {Loops} loops @param {Arriving} arriving @param {[number, number][]} shapes
 * @returns {Generator<null, {matrices: Levels[], stream: Stream}, void>}
 */
function* readMatrices(loops, arriving, shapes) {
  const { side, stream } = yield* arriving.begin(loops, 2 * shapes.length);
  const models = shapes.map((_, at) => side[2 * at + 1]);
  if (Math.max(...models) > ZERO_MODEL) {
    throw new SirenError("CorruptError", "model index is unknown");
  }
  const matrices = yield* stream.surely(() =>
    shapes.map(([rows, columns], at) => {
      const step = side[2 * at];
      if (models[at] === ZERO_MODEL && step) {
        throw new SirenError("CorruptError", "a matrix of zeros has a step");
      }
      const levels =
        models[at] === ZERO_MODEL ? new Int32Array(rows * columns) : stream.levels(rows * columns, models[at]);
      return { rows, columns, levels, step };
    }),
  );
  return { matrices, stream };
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
  const arriving = new Arriving(data.length);
  arriving.feed(data);
  const { value, done } = readMatrices(loops, arriving, priorShapes()).next();
  if (!done) {
    throw new SirenError("CorruptError", "the prior is not whole");
  }
  value.stream.finish();
  arriving.free();
  return toPrior(value.matrices);
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

/** Shapes of a file's matrices. @param {import("./container.js").Header} header @returns {[number, number][][]} layers, kernels, and differences from the prior */
function matrixShapes({ features, layers, channels, grids }) {
  /** @type {[number, number][]} */
  const network = [[features, 2 + grids.length + 1]];
  for (let layer = 0; layer < layers; layer++) {
    network.push([features, features + 1]);
  }
  network.push([channels, features + 1]);
  const octaves = grids.length ? grids[grids.length - 1] : 0;
  return [network, octaves ? [[octaves, 4]] : [], grids.length ? priorShapes() : []];
}

/**
 * Payload that arrives -> its parts: the matrices, then the grids, coarsest first. The grids are
 * the caller's to free.
 * @param {Loops} loops @param {import("./container.js").Header} header @param {Arriving} arriving
 * @param {Prior} prior
 * @returns {Generator<Part, void, void>}
 */
export function* decodePayload(loops, header, arriving, prior) {
  const shapes = matrixShapes(header);
  const { matrices, stream } = yield* readMatrices(loops, arriving, shapes.flat());
  const layers = matrices.slice(0, shapes[0].length).map(dequantize);
  const kernels = shapes[1].length ? dequantize(matrices[layers.length]) : null;
  if (kernels && kernels.numbers.some((number) => Math.abs(number) > 16)) {
    throw new SirenError("CorruptError", "a number of the upsampling kernels is too large");
  }
  const levels = matrices.map((each) => each.levels);
  if (!header.grids.length) {
    yield { matrices: { layers, kernels, refinement: [], levels } };
  } else {
    const changes = toPrior(matrices.slice(-shapes[2].length));
    const refinement = adapt(prior.refinement, changes.refinement, 16, "refinement");
    const context = adapt(prior.context, changes.context, 2 ** 26, "context model");
    yield { matrices: { layers, kernels, refinement, levels } };
    yield* decodeGrids(loops, header, stream, context);
  }
  stream.finish();
}

/** @param {Loops} loops @param {import("./container.js").Header} header @param {Stream} stream @param {Matrix[]} context @returns {Generator<Part, void, void>} */
function* decodeGrids(loops, { grids, width, height }, stream, context) {
  /** @type {Map<number, Grid>} */
  const known = new Map();
  for (const exponent of [...grids].reverse()) {
    const rows = Math.ceil(height / 2 ** exponent);
    const columns = Math.ceil(width / 2 ** exponent);
    const grid = { exponent, rows, columns, address: loops.take(4 * rows * columns) };
    try {
      yield* decodeGrid(loops, stream, grid, known, context);
    } catch (error) {
      loops.free(grid.address);
      throw error;
    }
    known.set(exponent, grid);
    yield { grid };
  }
}

/** @param {Loops} loops @param {Stream} stream @param {Grid} grid @param {Map<number, Grid>} known @param {Matrix[]} context @returns {Generator<null, void, void>} */
function* decodeGrid(loops, stream, grid, known, context) {
  const { rows, columns, exponent, address } = grid;
  const [down, across] = [(rows + 1) >> 1, (columns + 1) >> 1];
  const nothing = [address, 1, 1, 0, 0, 0, 0, 0];
  // Fields of `struct latent_source`.
  const sources = [1, 2].map((finer, shift) => {
    const coarser = known.get(exponent + finer);
    return coarser ? [coarser.address, coarser.columns, 1, shift, 0, down, 0, across] : nothing;
  });
  for (const [phase, [top, left]] of PHASES.entries()) {
    const [high, wide] = [(rows - top + 1) >> 1, (columns - left + 1) >> 1];
    if (!high || !wide) {
      sources.push(nothing);
      continue;
    }
    const first = address + 4 * (top * columns + left);
    const network = networkOf(context.slice(3 * phase, 3 * phase + 3), sources.length, exponent);
    yield* stream.surely(() => {
      const [wholes, tables] = [loops.take(2 * high * wide), loops.take(2 * high * wide)];
      try {
        predict(loops, sources, high, wide, network, wholes, tables);
        stream.residuals([wholes, tables, high, wide, first, 2 * columns, 2]);
      } finally {
        loops.free(wholes);
        loops.free(tables);
      }
    });
    sources.push([first, 2 * columns, 2, 0, 0, high, 0, wide]);
  }
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
