// A decoder of .siren files: FORMAT.md in JavaScript, its loops in WebAssembly.
import { checksum } from "./container.js";
import { SirenError } from "./errors.js";
import { SirenFunction } from "./function.js";
import { DEFAULT_LIMITS } from "./limits.js";
import { Loops } from "./loops.js";
import { Opening } from "./opening.js";
import { readPrior } from "./matrices.js";
import { chooseRegion } from "./region.js";

export { DEFAULT_LIMITS, SirenError, SirenFunction };

/** Whether this browser has vectors. @returns {boolean} */
export function hasVectors() {
  // A function that returns a splat of zero.
  return WebAssembly.validate(
    Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11),
  );
}

/**
 * @typedef {object} Part as `SirenFunction.sample` is asked for it
 * @property {number} width @property {number} height output pixels
 * @property {import("./region.js").Crop} crop in stored pixels
 */

/** Decodes files. One may be used for many. */
export class Decoder {
  /**
   * @param {BufferSource | WebAssembly.Module} wasm the compiled loops: dist/siren-simd128.wasm
   * @param {Uint8Array} prior dist/prior-1.bin
   * @param {Partial<import("./limits.js").Limits>} [limits] of what a file may ask for
   */
  static async create(wasm, prior, limits) {
    const module = wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(wasm);
    return new Decoder(new Loops(await WebAssembly.instantiate(module, {})), prior, limits);
  }

  /** @param {Loops} loops @param {Uint8Array} prior @param {Partial<import("./limits.js").Limits>} [limits] */
  constructor(loops, prior, limits) {
    this.loops = loops;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.priorChecksum = checksum(prior);
    this.prior = readPrior(loops, prior);
  }

  /** A file whose bytes are still to come. @returns {Opening} */
  begin() {
    return new Opening(this.loops, this.prior, this.priorChecksum, this.limits);
  }

  /**
   * File -> the function it is.
   * @param {Uint8Array} data
   * @param {Part} [part] that alone will be asked for, where this saves something: a crop of a file
   *   that is cut into segments. Other segments are neither verified nor decoded.
   * @returns {SirenFunction}
   */
  open(data, part) {
    const opening = this.begin();
    try {
      opening.feed(data);
      if (part && opening.begin()) {
        const { width, height, crop } = part;
        opening.limitTo(chooseRegion(opening.theHeader, width, height, crop));
      }
      return opening.finish();
    } catch (error) {
      opening.free();
      throw error;
    }
  }
}
