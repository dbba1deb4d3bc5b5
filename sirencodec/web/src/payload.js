// Bytes of a file, as they arrive -> matrices and grids, part by part, of both versions (FORMAT.md).
import { segmentChecksum, verifyHead } from "./container.js";
import { SirenError } from "./errors.js";
import { Grids, decodeWindow } from "./latents.js";
import { partsOf, wholeGrid } from "./layout.js";
import { Loops, Stream } from "./loops.js";
import { matrixShapes, readMatrices, toNumbers } from "./matrices.js";

/**
 * @typedef {{matrices: import("./matrices.js").Numbers} | {grid: import("./latents.js").Grid, window: import("./layout.js").Window} | null} Known
 *   what is known now that was not: matrices, a window of a grid; null: not enough has arrived
 *
 * @typedef {import("./container.js").Header} Header
 * @typedef {import("./matrices.js").Prior} Prior
 * @typedef {import("./matrices.js").Matrix} Matrix
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
