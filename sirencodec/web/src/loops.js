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
const STATE_BYTES = 64; // of `struct range_decoder`
const NEXT_AT = 16;

/** A range-coded stream that may still be arriving -> its symbols. */
export class Stream {
  /** @param {Loops} loops @param {number} size in bytes @param {boolean} isByWords of 32 bits, as in version 0 */
  constructor(loops, size, isByWords) {
    if (isByWords && size % 4) {
      throw new SirenError("CorruptError", "coded stream is not a whole number of words");
    }
    this.loops = loops;
    this.size = size;
    this.arrived = 0;
    this.hasBegun = false;
    this.bytes = loops.take(size);
    this.state = loops.take(STATE_BYTES);
    const view = new DataView(loops.exports.memory.buffer, this.state, STATE_BYTES);
    view.setInt32(0, this.bytes, true);
    view.setBigInt64(8, BigInt(size), true);
    view.setBigInt64(24, BigInt(isByWords), true);
  }

  /** All of a stream of version 1. @param {Loops} loops @param {Uint8Array} bytes @returns {Stream} */
  static whole(loops, bytes) {
    const stream = new Stream(loops, bytes.length, false);
    stream.feed(bytes);
    loops.exports.sirencodec_begin_stream(stream.state);
    stream.hasBegun = true;
    return stream;
  }

  /** More of its bytes. @param {Uint8Array} bytes */
  feed(bytes) {
    new Uint8Array(this.loops.exports.memory.buffer, this.bytes + this.arrived, bytes.length).set(bytes);
    this.arrived += bytes.length;
  }

  /** Whether all that was taken has arrived. @returns {boolean} */
  get isSure() {
    const next = new DataView(this.loops.exports.memory.buffer).getBigInt64(this.state + NEXT_AT, true);
    return this.arrived === this.size || Number(next) <= this.arrived;
  }

  /**
   * Work that takes symbols -> its result, once it was done with bytes that are there. Until then,
   * it is undone, and nothing is yielded.
   * @template Result
   * @param {() => Result} work which may be done several times
   * @returns {Generator<null, Result, void>}
   */
  *surely(work) {
    const { exports } = this.loops;
    while (!this.hasBegun) {
      exports.sirencodec_begin_stream(this.state);
      this.hasBegun = this.isSure;
      if (!this.hasBegun) {
        yield null;
      }
    }
    const before = new Uint8Array(exports.memory.buffer, this.state, STATE_BYTES).slice();
    for (;;) {
      let result, fault;
      try {
        result = work();
      } catch (error) {
        fault = error;
      }
      if (this.isSure) {
        if (fault) {
          throw fault;
        }
        return /** @type {Result} */ (result);
      }
      new Uint8Array(exports.memory.buffer, this.state, STATE_BYTES).set(before);
      yield null;
    }
  }

  /** Symbols under a model, as levels. @param {number} count @param {number} model @returns {Int32Array} */
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
