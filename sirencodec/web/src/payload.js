// Coded matrices and latents -> integers of the picture (FORMAT.md, sections 5 to 8 and 12).
import { SirenError } from "./errors.js";
import { segmentChecksum, verifyHead } from "./container.js";
import { partsOf, wholeGrid } from "./layout.js";
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
 * @typedef {{matrices: Numbers} | {grid: Grid, window: Window} | null} Known what is known now that
 *   was not: matrices, a window of a grid; null: not enough has arrived
 *
 * @typedef {import("./container.js").Header} Header
 * @typedef {import("./layout.js").Window} Window
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

/** The payload of a file of version 0, as it arrives. */
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
    const stream = new Stream(loops, this.size - sideBytes, true);
    stream.feed(this.bytes.subarray(sideBytes));
    this.stream = stream;
    return { side: this.bytes.slice(0, sideBytes), stream };
  }

  free() {
    this.stream?.free();
  }
}

/** Side information and the stream behind it -> matrices as levels, and their steps. @param {Uint8Array} side @param {Stream} stream @param {[number, number][]} shapes @returns {Levels[]} */
function readMatrices(side, stream, shapes) {
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

/** Levels of all matrices -> numbers, and the context model. @param {Header} header @param {Levels[]} matrices @param {Prior} prior @returns {{numbers: Numbers, context: Matrix[]}} */
function toNumbers(header, matrices, prior) {
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

/** Grids that are zeros until they are decoded. The caller of the decoder is told of each, and frees it. */
class Grids {
  /** @param {Loops} loops @param {Header} header */
  constructor(loops, header) {
    this.loops = loops;
    this.header = header;
    /** @type {Map<number, Grid>} */
    this.known = new Map();
  }

  /** @param {number} exponent @returns {Grid | undefined} */
  find(exponent) {
    return this.known.get(exponent);
  }

  /** @param {number} exponent @returns {Grid} */
  take(exponent) {
    const known = this.known.get(exponent);
    if (known) {
      return known;
    }
    const { bottom: rows, right: columns } = wholeGrid(this.header, exponent);
    const grid = { exponent, rows, columns, address: this.loops.take(4 * rows * columns) };
    this.known.set(exponent, grid);
    return grid;
  }
}

/**
 * Payload of version 0 that arrives -> its parts: the matrices, then the grids, coarsest first. The
 * grids are the caller's to free.
 * @param {Loops} loops @param {Header} header @param {Arriving} arriving @param {Prior} prior
 * @returns {Generator<Known, void, void>}
 */
export function* decodePayload(loops, header, arriving, prior) {
  const shapes = matrixShapes(header).flat();
  const { side, stream } = yield* arriving.begin(loops, 2 * shapes.length);
  const matrices = yield* stream.surely(() => readMatrices(side, stream, shapes));
  const { numbers, context } = toNumbers(header, matrices, prior);
  yield { matrices: numbers };
  const grids = new Grids(loops, header);
  for (const exponent of [...header.grids].reverse()) {
    const grid = grids.take(exponent);
    const window = wholeGrid(header, exponent);
    try {
      yield* decodeWindow(loops, stream, grids, exponent, window, context);
    } catch (error) {
      loops.free(grid.address);
      throw error;
    }
    yield { grid, window };
  }
  stream.finish();
}

/**
 * File of version 1 that arrives -> its parts: the matrices, then windows of grids, segment by
 * segment. The grids are the caller's to free.
 * @param {Loops} loops @param {Header} header
 * @param {(end: number) => Uint8Array | null} arrived the file up to a place, null if it is not there
 * @param {Prior} prior
 * @param {() => Set<number> | null} needed numbers of the segments to decode; null for all of them
 * @returns {Generator<Known, void, void>}
 */
export function* decodeSegments(loops, header, arrived, prior, needed) {
  const head = yield* whenThere(arrived, header.payloadStart + header.payloadBytes + 4);
  const data = verifyHead(head, header);
  const shapes = matrixShapes(header).flat();
  if (data.length < 2 * shapes.length) {
    throw new SirenError("CorruptError", "payload is shorter than its matrices' parameters");
  }
  const matrices = ofStream(loops, data.subarray(2 * shapes.length), (stream) => readMatrices(data, stream, shapes));
  const { numbers, context } = toNumbers(header, matrices, prior);
  yield { matrices: numbers };
  const grids = new Grids(loops, header);
  for (const [number, part] of (header.tiling ? partsOf(header, header.tiling) : []).entries()) {
    if (needed()?.has(number) === false) {
      continue;
    }
    const { start, end, checksum, isZero } = header.segments[number];
    if (!isZero) {
      const bytes = (yield* whenThere(arrived, end)).subarray(start);
      if (segmentChecksum(bytes) !== checksum) {
        throw new SirenError("CorruptError", "checksum of a segment does not match");
      }
      decodeSegment(loops, bytes, grids, part, context);
    }
    for (const { exponent, window } of part) {
      yield { grid: grids.take(exponent), window };
    }
  }
}

/** @param {(end: number) => Uint8Array | null} arrived @param {number} end @returns {Generator<null, Uint8Array, void>} */
function* whenThere(arrived, end) {
  for (;;) {
    const bytes = arrived(end);
    if (bytes) {
      return bytes;
    }
    yield null;
  }
}

/** @template Result @param {Loops} loops @param {Uint8Array} bytes @param {(stream: Stream) => Result} work @returns {Result} */
function ofStream(loops, bytes, work) {
  const stream = Stream.whole(loops, bytes);
  try {
    const result = work(stream);
    stream.finish();
    return result;
  } finally {
    stream.free();
  }
}

/** @param {Loops} loops @param {Uint8Array} bytes @param {Grids} grids @param {import("./layout.js").Part} part @param {Matrix[]} context */
function decodeSegment(loops, bytes, grids, part, context) {
  ofStream(loops, bytes, (stream) => {
    for (const { exponent, window } of part) {
      for (const _ of decodeWindow(loops, stream, grids, exponent, window, context));
    }
  });
  const hasAny = part.some(({ exponent, window }) => {
    const { address, columns } = grids.take(exponent);
    for (let row = window.top; row < window.bottom; row++) {
      const first = address + 4 * (row * columns + window.left);
      if (loops.int32(first, window.right - window.left).some(Boolean)) {
        return true;
      }
    }
    return false;
  });
  if (!hasAny) {
    throw new SirenError("CorruptError", "a segment of zeros is written out");
  }
}

/**
 * Window of a grid, phase by phase; what is coarser is known.
 * @param {Loops} loops @param {Stream} stream @param {Grids} grids @param {number} exponent @param {Window} window
 * @param {Matrix[]} context @returns {Generator<null, void, void>}
 */
function* decodeWindow(loops, stream, grids, exponent, window, context) {
  const { rows, columns, address } = grids.take(exponent);
  const [down, across] = [(rows + 1) >> 1, (columns + 1) >> 1];
  const nothing = [address, 1, 1, 0, 0, 0, 0, 0];
  // Fields of `struct latent_source`.
  const sources = [1, 2].map((finer, shift) => {
    const coarser = grids.find(exponent + finer);
    return coarser ? [coarser.address, coarser.columns, 1, shift, 0, down, 0, across] : nothing;
  });
  for (const [phase, [top, left]] of PHASES.entries()) {
    // Places of the phase that are in the window.
    const [first, end] = [window.top >> 1, (window.bottom - top + 1) >> 1];
    const [from, to] = [window.left >> 1, (window.right - left + 1) >> 1];
    const [high, wide] = [Math.max(0, end - first), Math.max(0, to - from)];
    if (!high || !wide) {
      sources.push(nothing);
      continue;
    }
    const network = networkOf(context.slice(3 * phase, 3 * phase + 3), sources.length, exponent);
    const samples = address + 4 * (top * columns + left);
    const corner = samples + 4 * (2 * first * columns + 2 * from);
    yield* stream.surely(() => {
      const [wholes, tables] = [loops.take(2 * high * wide), loops.take(2 * high * wide)];
      try {
        predict(loops, sources, [first, end, from, to], network, wholes, tables);
        stream.residuals([wholes, tables, high, wide, corner, 2 * columns, 2]);
      } finally {
        loops.free(wholes);
        loops.free(tables);
      }
    });
    sources.push([samples, 2 * columns, 2, 0, first, end, from, to]);
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

/** @param {Loops} loops @param {number[][]} sources @param {[number, number, number, number]} places top, bottom, left, right @param {Matrix[]} network @param {number} wholes @param {number} tables */
function predict(loops, sources, places, network, wholes, tables) {
  const described = loops.putInt32(sources.flat());
  const weights = network.map(({ numbers }) => loops.putFloat64(numbers));
  const layers = loops.putInt32(network.flatMap(({ rows, columns }, at) => [weights[at], 0, rows, columns - 1]));
  const scales = loops.putFloat64([2 ** -7, 2 ** -16]);
  const task = loops.putInt32([described, sources.length, ...places, layers, network.length, scales, 0, 0, 0, wholes, tables]);
  new DataView(loops.exports.memory.buffer).setFloat64(task + 40, 2 ** 20, true);
  const failed = loops.exports.sirencodec_predict_phase_double(task);
  [described, ...weights, layers, scales, task].forEach((each) => loops.free(each));
  if (failed) {
    throw new SirenError("LimitError", "not enough memory");
  }
}
