// Bytes of a file, as they arrive -> the function that it is, as far as it is known.
import { parseContainer, readHeader } from "./container.js";
import { SirenError } from "./errors.js";
import { SirenFunction } from "./function.js";
import { neededSegments } from "./layout.js";
import { check, checkIntegers } from "./limits.js";
import { Arriving, decodePayload, decodeSegments } from "./payload.js";

/** A file that arrives. What it shows before `finish` may still turn out to be damaged. */
export class Opening {
  /**
   * @param {import("./loops.js").Loops} loops
   * @param {import("./matrices.js").Prior} prior @param {number} priorChecksum
   * @param {import("./limits.js").Limits} limits
   */
  constructor(loops, prior, priorChecksum, limits) {
    this.loops = loops;
    this.prior = prior;
    this.priorChecksum = priorChecksum;
    this.limits = limits;
    this.data = new Uint8Array(1 << 16);
    this.length = 0;
    this.fed = 0; // bytes of a payload of version 0 that its decoder has
    /** @type {import("./container.js").Header | null} */
    this.header = null;
    /** @type {SirenFunction | null} what is known so far */
    this.picture = null;
    /** @type {Arriving | null} */
    this.arriving = null;
    /** @type {Generator<import("./payload.js").Known, void, void> | null} */
    this.parts = null;
    this.isDecoded = false;
    /** @type {Set<number> | null} numbers of the segments to decode; null for all */
    this.needed = null;
  }

  /** More bytes. @param {Uint8Array} bytes */
  feed(bytes) {
    const length = this.length + bytes.length;
    check("maxFileBytes", length, this.limits);
    if (length > this.data.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.data.length));
      larger.set(this.data.subarray(0, this.length));
      this.data = larger;
    }
    this.data.set(bytes, this.length);
    this.length = length;
  }

  /**
   * Decode one part more, if enough bytes are there.
   * @returns {import("./payload.js").Known | null} what is known now that was not
   */
  advance() {
    if (!this.begin() || this.isDecoded) {
      return null;
    }
    this.feedPayload();
    const { value, done } = /** @type {NonNullable<typeof this.parts>} */ (this.parts).next();
    if (done) {
      this.isDecoded = true;
      return null;
    }
    if (value && "matrices" in value) {
      this.picture = new SirenFunction(this.loops, this.theHeader, value.matrices, this.limits);
    } else if (value) {
      this.picture?.setGrid(value.grid);
    }
    return value ?? null;
  }

  /** All bytes are there -> the file's parts; its checksums and lengths are right. @returns {import("./container.js").Container} */
  verify() {
    return parseContainer(this.data.subarray(0, this.length), this.priorChecksum, this.limits);
  }

  /** All bytes are there -> the function; the file is sound to its end. @returns {SirenFunction} */
  finish() {
    this.verify();
    while (!this.isDecoded) {
      this.advance();
    }
    this.arriving?.free();
    return /** @type {SirenFunction} */ (this.picture);
  }

  /** Decode what a region needs, and nothing else; before anything is decoded. @param {import("./region.js").Region} region */
  limitTo(region) {
    if (this.theHeader.tiling) {
      this.needed = new Set(neededSegments(this.theHeader, region));
    }
  }

  /** Give back all memory, if it is not to be finished. */
  free() {
    this.arriving?.free();
    this.picture?.free();
  }

  /** Whether the header is there. @returns {boolean} */
  begin() {
    if (this.parts) {
      return true;
    }
    try {
      this.header = readHeader(this.data.subarray(0, this.length), this.priorChecksum);
    } catch (error) {
      if (error instanceof SirenError && error.name === "TruncatedError") {
        return false;
      }
      throw error;
    }
    checkIntegers(this.header, this.limits);
    if (this.header.version) {
      const arrived = (/** @type {number} */ end) => (end <= this.length ? this.data.subarray(0, end) : null);
      this.parts = decodeSegments(this.loops, this.header, arrived, this.prior, () => this.needed);
    } else {
      this.arriving = new Arriving(this.header.payloadBytes);
      this.parts = decodePayload(this.loops, this.header, this.arriving, this.prior);
    }
    return true;
  }

  /** What has arrived of the payload goes to its decoder. */
  feedPayload() {
    if (!this.arriving) {
      return;
    }
    const { payloadStart, payloadBytes } = this.theHeader;
    const end = Math.min(this.length, payloadStart + payloadBytes);
    this.arriving.feed(this.data.subarray(payloadStart + this.fed, end));
    this.fed = end - payloadStart;
  }

  get theHeader() {
    return /** @type {import("./container.js").Header} */ (this.header);
  }
}
