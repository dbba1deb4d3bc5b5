// A decoder of .siren files: FORMAT.md in JavaScript, its loops in WebAssembly.
import { checksum, parseContainer } from "./container.js";
import { SirenError } from "./errors.js";
import { Loops } from "./loops.js";
import { decodePayload, readPrior } from "./payload.js";
import { axisPoints } from "./points.js";

export { SirenError };

const NEIGHBOURS = 9;

/** Whether this browser has vectors. @returns {boolean} */
export function hasVectors() {
  // A function that returns a splat of zero.
  return WebAssembly.validate(
    Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11),
  );
}

/** Decodes files. One may be used for many. */
export class Decoder {
  /**
   * @param {BufferSource | WebAssembly.Module} wasm the compiled loops: dist/siren-simd128.wasm
   * @param {Uint8Array} prior dist/prior-1.bin
   */
  static async create(wasm, prior) {
    const module = wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(wasm);
    return new Decoder(new Loops(await WebAssembly.instantiate(module, {})), prior);
  }

  /** @param {Loops} loops @param {Uint8Array} prior */
  constructor(loops, prior) {
    this.loops = loops;
    this.priorChecksum = checksum(prior);
    this.prior = readPrior(loops, prior);
  }

  /**
   * File -> the function it is.
   * @param {Uint8Array} data
   */
  open(data) {
    const container = parseContainer(data, this.priorChecksum);
    return new SirenFunction(this.loops, container.header, decodePayload(this.loops, container, this.prior));
  }
}

/** A picture that can be asked at any size. */
export class SirenFunction {
  /**
   * @param {Loops} loops
   * @param {import("./container.js").Header} header
   * @param {import("./payload.js").Integers} integers
   */
  constructor(loops, header, integers) {
    this.loops = loops;
    this.header = header;
    this.grids = integers.grids;
    const put = (/** @type {import("./payload.js").Matrix[]} */ matrices) => {
      const weights = matrices.map(({ numbers }) => loops.putFloat32(numbers));
      const layers = matrices.flatMap(({ rows, columns }, at) => [weights[at], 0, rows, columns - 1]);
      return [loops.putInt32(layers), ...weights];
    };
    const refinement = localRefinement(header.grids, integers.refinement);
    this.depth = integers.layers.length;
    this.numRefined = refinement.length ? refinement[1].rows : 0;
    this.layers = put(integers.layers);
    this.convolutions = put(refinement);
    this.kernels = loops.putFloat32(integers.kernels ? integers.kernels.numbers : []);
    this.described = loops.putInt32(
      this.grids.flatMap(({ address, rows, columns, exponent }) => [address, rows, columns, exponent]),
    );
  }

  /**
   * Size and part -> samples, row by row, channel by channel, of the file's bit depth.
   * @param {number} width
   * @param {number} height
   * @param {[number, number, number, number]} [crop] left, top, width and height in stored pixels
   * @returns {Uint8Array | Uint16Array}
   */
  sample(width, height, crop = [0, 0, this.header.width, this.header.height]) {
    const { loops, header } = this;
    const [left, top, across, down] = crop;
    const axes = [
      axisPoints(top, top + down, header.height, height),
      axisPoints(left, left + across, header.width, width),
    ];
    const described = axes.map((points) => [
      points.count,
      points.perCell,
      loops.putInt32(points.nearest),
      points.weights ? loops.putFloat32(points.weights) : 0,
      loops.putFloat32(points.coordinates),
    ]);
    const sampleBytes = header.bitDepth / 8;
    const count = width * height * header.channels;
    const samples = loops.take(count * sampleBytes);
    const task = loops.putInt32([
      this.described, this.grids.length, this.numRefined, this.kernels, this.convolutions[0],
      this.layers[0], this.depth, header.height, header.width, ...described.flat(), samples, sampleBytes,
    ]);
    const failed = loops.exports.sirencodec_paint_single(task);
    const Samples = sampleBytes === 1 ? Uint8Array : Uint16Array;
    const result = new Samples(loops.exports.memory.buffer, samples, count).slice();
    [task, samples, ...described.flatMap((axis) => axis.slice(2))].forEach((each) => loops.free(each));
    if (failed) {
      throw new SirenError("LimitError", "not enough memory");
    }
    return result;
  }

  /** Integers of the grids, finest first. @returns {Int32Array[]} */
  latents() {
    return this.grids.map(({ address, rows, columns }) => this.loops.int32(address, rows * columns).slice());
  }

  /** Give its memory back. */
  free() {
    const grids = this.grids.map(({ address }) => address);
    [...grids, ...this.layers, ...this.convolutions, this.kernels, this.described].forEach((each) => this.loops.free(each));
  }
}

/** Refinement of all grids -> the part that concerns those of a file. @param {number[]} exponents @param {import("./payload.js").Matrix[]} refinement */
function localRefinement(exponents, refinement) {
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
