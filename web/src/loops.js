// The compiled loops and their memory. Pointers and `long` have 32 bits there.
import { SirenError } from "./errors.js";

export class Loops {
  /** @param {WebAssembly.Instance} instance */
  constructor(instance) {
    this.exports = /** @type {any} */ (instance.exports);
    this.exports._initialize();
    this.residualTables = this.exports.malloc(640 * 512 * 4);
    this.exports.sirencodec_residual_tables(this.residualTables);
    /** @type {Map<number, number>} */
    this.levelTables = new Map();
  }

  /** Bytes of memory, nulled. @param {number} bytes @returns {number} */
  take(bytes) {
    const address = this.exports.malloc(Math.max(bytes, 8));
    if (!address) {
      throw new SirenError("LimitError", "not enough memory");
    }
    new Uint8Array(this.exports.memory.buffer, address, bytes).fill(0);
    return address;
  }

  /** @param {number} address */
  free(address) {
    this.exports.free(address);
  }

  /** @param {ArrayLike<number>} numbers @returns {number} */
  putInt32(numbers) {
    const address = this.take(4 * numbers.length);
    this.int32(address, numbers.length).set(numbers);
    return address;
  }

  /** @param {ArrayLike<number>} numbers @returns {number} */
  putFloat32(numbers) {
    const address = this.take(4 * numbers.length);
    new Float32Array(this.exports.memory.buffer, address, numbers.length).set(numbers);
    return address;
  }

  /** @param {ArrayLike<number>} numbers @returns {number} */
  putFloat64(numbers) {
    const address = this.take(8 * numbers.length);
    new Float64Array(this.exports.memory.buffer, address, numbers.length).set(numbers);
    return address;
  }

  /** @param {Uint8Array} bytes @returns {number} */
  putBytes(bytes) {
    const address = this.take(bytes.length);
    new Uint8Array(this.exports.memory.buffer, address, bytes.length).set(bytes);
    return address;
  }

  /** @param {number} address @param {number} count @returns {Int32Array} */
  int32(address, count) {
    return new Int32Array(this.exports.memory.buffer, address, count);
  }

  /** Model of levels -> address of its cumulative counts. @param {number} model @returns {number} */
  levelTable(model) {
    let address = this.levelTables.get(model);
    if (address === undefined) {
      address = this.take(4 * (2 * largestLevel(model) + 2));
      this.exports.sirencodec_level_table(model, address);
      this.levelTables.set(model, address);
    }
    return address;
  }
}

/** Model of levels -> the largest that it codes. @param {number} model @returns {number} */
export function largestLevel(model) {
  return 6 << ((model % 48) >> 2);
}

const FAULTS = ["", "coded stream holds an impossible symbol", "coded stream ends early"];

/** A range-coded stream -> its symbols. */
export class Stream {
  /** @param {Loops} loops @param {Uint8Array} bytes whole little-endian words of 32 bits */
  constructor(loops, bytes) {
    if (bytes.length % 4) {
      throw new SirenError("CorruptError", "coded stream is not a whole number of words");
    }
    this.loops = loops;
    this.bytes = loops.putBytes(bytes);
    this.state = loops.take(64);
    const view = new DataView(loops.exports.memory.buffer, this.state, 64);
    view.setInt32(0, this.bytes, true);
    view.setBigInt64(8, BigInt(bytes.length), true);
    view.setBigInt64(24, 1n, true); // by words
    loops.exports.sirencodec_begin_stream(this.state);
  }

  /** Symbols under a model, as levels. @param {number} count @param {number} model */
  levels(count, model) {
    const { loops } = this;
    const largest = largestLevel(model);
    const table = loops.levelTable(model);
    const symbols = loops.take(4 * count);
    const fault = loops.exports.sirencodec_decode_symbols(
      this.state, table, 2 * largest + 1, count, symbols,
    );
    const levels = loops.int32(symbols, count).map((symbol) => symbol - largest);
    loops.free(symbols);
    raise(fault);
    return levels;
  }

  /** Samples of a phase, into memory. @param {number[]} task fields of `struct residual_task` */
  residuals(task) {
    const address = this.loops.putInt32([this.state, this.loops.residualTables, ...task]);
    const fault = this.loops.exports.sirencodec_decode_residuals(address);
    this.loops.free(address);
    raise(fault);
  }

  /** Check that it ends as its encoder ends it. */
  finish() {
    if (this.loops.exports.sirencodec_finish_stream(this.state)) {
      throw new SirenError("CorruptError", "coded stream is not canonical");
    }
  }

  free() {
    this.loops.free(this.bytes);
    this.loops.free(this.state);
  }
}

/** @param {number} fault */
function raise(fault) {
  if (fault === 3) {
    throw new SirenError("LimitError", "not enough memory");
  }
  if (fault) {
    throw new SirenError("CorruptError", FAULTS[fault]);
  }
}
