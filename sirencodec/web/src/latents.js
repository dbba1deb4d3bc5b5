// Coded latents -> samples of a grid, phase by phase, under the context model (FORMAT.md, section 8).
import { SirenError } from "./errors.js";
import { wholeGrid } from "./layout.js";
import { Loops, Stream } from "./loops.js";

/**
 * @typedef {object} Grid
 * @property {number} exponent @property {number} rows @property {number} columns
 * @property {number} address of int32 samples, row by row; 0 while nothing is known of it
 *
 * @typedef {import("./container.js").Header} Header
 * @typedef {import("./layout.js").Window} Window
 * @typedef {import("./matrices.js").Matrix} Matrix
 */

const PHASES = [[0, 0], [1, 1], [0, 1], [1, 0]];
const NEIGHBOURS = 9;

/** Grids that are zeros until they are decoded. The caller of the decoder is told of each, and frees it. */
export class Grids {
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
 * Window of a grid, phase by phase; what is coarser is known.
 * @param {Loops} loops @param {Stream} stream @param {Grids} grids @param {number} exponent @param {Window} window
 * @param {Matrix[]} context @returns {Generator<null, void, void>}
 */
export function* decodeWindow(loops, stream, grids, exponent, window, context) {
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
