// Integers of a file -> a function that is asked at any size: samples, or what its layers say.
import { SirenError } from "./errors.js";
import { checkRegion } from "./limits.js";
import { featureFactors, flatten, localRefinement, reduceGrid, scaleFeatures } from "./picture.js";
import { axisPoints } from "./points.js";
import { chooseRegion } from "./region.js";

/**
 * @typedef {import("./points.js").AxisPoints} AxisPoints
 * @typedef {import("./matrices.js").Matrix} Matrix
 * @typedef {import("./latents.js").Grid} Grid
 *
 * @typedef {object} Prepared numbers of an octave, in the loops' memory
 * @property {number} height @property {number} width its pixels
 * @property {number} layers @property {number} convolutions @property {number} numRefined
 * @property {number} kernels @property {number} grids
 * @property {number[]} taken addresses to give back
 */

const VALUE_BYTES = 8; // means in double precision, not clipped

/** A picture that can be asked at any size, while its grids arrive or when they are all there. */
export class SirenFunction {
  /**
   * @param {import("./loops.js").Loops} loops
   * @param {import("./container.js").Header} header
   * @param {import("./matrices.js").Numbers} numbers
   * @param {import("./limits.js").Limits} limits of what one question may take
   */
  constructor(loops, header, numbers, limits) {
    this.loops = loops;
    this.header = header;
    this.numbers = numbers;
    this.limits = limits;
    /** @type {Grid[]} finest first; those that are not known count as 0 */
    this.grids = header.grids.map((exponent) => ({
      exponent,
      rows: Math.ceil(header.height / 2 ** exponent),
      columns: Math.ceil(header.width / 2 ** exponent),
      address: 0,
    }));
    /** @type {Map<number, Prepared>} by octave */
    this.prepared = new Map();
  }

  /** A grid is known now; its memory is the function's to free. @param {Grid} grid */
  setGrid(grid) {
    const at = this.grids.findIndex(({ exponent }) => exponent === grid.exponent);
    this.grids[at] = grid;
    this.forget();
  }

  /** Samples of a window of a grid are known now. @param {number} exponent @param {import("./layout.js").Window} window @param {Int32Array} samples */
  setSamples(exponent, window, samples) {
    const grid = /** @type {Grid} */ (this.grids.find((each) => each.exponent === exponent));
    const address = grid.address || this.loops.take(4 * grid.rows * grid.columns);
    const wide = window.right - window.left;
    const all = this.loops.int32(address, grid.rows * grid.columns);
    for (let row = window.top; row < window.bottom; row++) {
      const from = (row - window.top) * wide;
      all.set(samples.subarray(from, from + wide), row * grid.columns + window.left);
    }
    this.setGrid({ ...grid, address });
  }

  /** Window of a grid -> its samples. @param {Grid} grid @param {import("./layout.js").Window} window @returns {Int32Array} */
  getSamples({ address, rows, columns }, window) {
    const wide = window.right - window.left;
    const all = this.loops.int32(address, rows * columns);
    const samples = new Int32Array((window.bottom - window.top) * wide);
    for (let row = window.top; row < window.bottom; row++) {
      const from = row * columns + window.left;
      samples.set(all.subarray(from, from + wide), (row - window.top) * wide);
    }
    return samples;
  }

  /**
   * Size and part -> samples, row by row, channel by channel.
   * @param {number} width
   * @param {number} height
   * @param {import("./region.js").Crop} [crop] left, top, width and height in stored pixels
   * @param {{bitDepth?: 8 | 16, perPixel?: import("./region.js").PerPixel}} [options] the file's bit
   *   depth, if left out; and whether fewer points than usual will do
   * @returns {Uint8Array | Uint16Array}
   */
  sample(width, height, crop, { bitDepth = this.header.bitDepth, perPixel } = {}) {
    const region = chooseRegion(this.header, width, height, crop, perPixel);
    checkRegion(this.header, region, this.limits);
    const [left, top, across, down] = region.crop;
    const { octave, pointsAcross, pointsDown } = region;
    const rows = axisPoints(top, top + down, this.header.height, height, pointsDown, octave);
    const columns = axisPoints(left, left + across, this.header.width, width, pointsAcross, octave);
    const { layers } = this.numbers;
    const network = { address: this.prepare(octave).layers, depth: layers.length, outputs: this.header.channels };
    const count = width * height * network.outputs;
    return this.paint(octave, rows, columns, network, bitDepth / 8, (buffer, address) =>
      bitDepth === 8 ? new Uint8Array(buffer, address, count).slice() : new Uint16Array(buffer, address, count).slice(),
    );
  }

  /**
   * Points and a network in the place of the file's -> its values, not clipped, point by point,
   * rows first.
   * @param {AxisPoints} rows @param {AxisPoints} columns
   * @param {Matrix[]} layers a sine follows each but the last; inputs are x, y and the features
   * @returns {Float64Array}
   */
  values(rows, columns, layers) {
    const { loops } = this;
    const { address, taken } = putMatrices(loops, layers);
    const outputs = layers[layers.length - 1].rows;
    const count = rows.nearest.length * columns.nearest.length * outputs;
    try {
      const network = { address, depth: layers.length, outputs };
      return this.paint(0, rows, columns, network, VALUE_BYTES, (buffer, at) => new Float64Array(buffer, at, count).slice());
    } finally {
      taken.forEach((each) => loops.free(each));
    }
  }

  /**
   * @template Result
   * @param {number} octave @param {AxisPoints} rows @param {AxisPoints} columns
   * @param {{address: number, depth: number, outputs: number}} network
   * @param {number} sampleBytes
   * @param {(buffer: ArrayBuffer, address: number) => Result} read
   * @returns {Result}
   */
  paint(octave, rows, columns, network, sampleBytes, read) {
    const { loops } = this;
    const picture = this.prepare(octave);
    /** @type {number[]} */
    const taken = [];
    const put = (/** @type {number} */ address) => (taken.push(address), address);
    try {
      const axes = [rows, columns].map(({ perCell, nearest, weights, coordinates }) => [
        nearest.length,
        perCell,
        put(loops.putInt32(nearest)),
        weights ? put(loops.putFloat32(weights)) : 0,
        put(loops.putFloat32(coordinates)),
      ]);
      const cells = (rows.nearest.length / rows.perCell) * (columns.nearest.length / columns.perCell);
      const samples = put(loops.take(cells * network.outputs * sampleBytes));
      const task = put(loops.putInt32([
        picture.grids, this.grids.length, picture.numRefined, picture.kernels, picture.convolutions, network.address,
        network.depth, picture.height, picture.width, ...axes.flat(), samples, sampleBytes,
      ]));
      if (loops.exports.sirencodec_paint_single(task)) {
        throw new SirenError("LimitError", "not enough memory");
      }
      return read(loops.exports.memory.buffer, samples);
    } finally {
      taken.forEach((address) => loops.free(address));
    }
  }

  /** Octave -> its numbers, made when they are first asked for. @param {number} octave @returns {Prepared} */
  prepare(octave) {
    const known = this.prepared.get(octave);
    if (known) {
      return known;
    }
    const { loops, header, numbers } = this;
    /** @type {number[]} */
    const taken = [];
    const put = (/** @type {number} */ address) => (taken.push(address), address);
    const putAll = (/** @type {Matrix[]} */ matrices) => {
      const { address, taken: own } = putMatrices(loops, matrices);
      taken.push(...own);
      return address;
    };
    const reduced = { rows: Math.ceil(header.height / 2 ** octave), columns: Math.ceil(header.width / 2 ** octave) };
    let [layers, refinement] = [numbers.layers, localRefinement(header.grids, numbers.refinement)];
    if (octave) {
      const factors = featureFactors(header.grids, numbers.kernels, octave);
      layers = [scaleFeatures(layers[0], factors), ...layers.slice(1)];
      refinement = flatten(refinement, factors);
    }
    const grids = this.grids.flatMap((grid) => {
      const { address, rows, columns, exponent } = grid;
      if (!octave || !address) {
        return [address, rows, columns, Math.max(0, exponent - octave)];
      }
      const samples = reduceGrid(loops.int32(address, rows * columns), grid, octave, reduced);
      const isCoarse = exponent >= octave;
      const [high, wide] = isCoarse ? [rows, columns] : [reduced.rows, reduced.columns];
      return [samples ? put(loops.putInt32(samples)) : 0, high, wide, Math.max(0, exponent - octave)];
    });
    const picture = {
      height: reduced.rows,
      width: reduced.columns,
      layers: putAll(layers),
      convolutions: putAll(refinement),
      numRefined: refinement.length ? refinement[1].rows : 0,
      kernels: put(loops.putFloat32(numbers.kernels ? numbers.kernels.numbers.subarray(4 * octave) : [])),
      grids: put(loops.putInt32(grids)),
      taken,
    };
    this.prepared.set(octave, picture);
    return picture;
  }

  /** Integers of the grids, finest first; 0 where they are not known. @returns {Int32Array[]} */
  latents() {
    return this.grids.map(({ address, rows, columns }) =>
      address ? this.loops.int32(address, rows * columns).slice() : new Int32Array(rows * columns),
    );
  }

  /** Give back what was made for single octaves. */
  forget() {
    for (const { taken } of this.prepared.values()) {
      taken.forEach((address) => this.loops.free(address));
    }
    this.prepared.clear();
  }

  /** Give its memory back. */
  free() {
    this.forget();
    this.grids.forEach(({ address }) => address && this.loops.free(address));
  }
}

/** Matrices -> a list of `struct layer`. @param {import("./loops.js").Loops} loops @param {Matrix[]} matrices */
function putMatrices(loops, matrices) {
  const weights = matrices.map(({ numbers }) => loops.putFloat32(numbers));
  const address = loops.putInt32(
    matrices.flatMap(({ rows, columns }, at) => [weights[at], 0, rows, columns - 1]),
  );
  return { address, taken: [address, ...weights] };
}
