// .siren file -> header, table of segments and metadata section (FORMAT.md, sections 1 to 4 and 12).
import { SirenError } from "./errors.js";
import { countSegments } from "./layout.js";
import { check } from "./limits.js";

const MAGIC = [0x89, 0x53, 0x52, 0x4e];
const MOST_BYTES = 2 ** 28 - 1;
const MOST_TILING = 122;
const SMALLEST_LOG_TILE = 6;
const LARGEST_LOG_TILE = 16;
const CHECKSUM_BYTES = 4;

/**
 * @typedef {object} Header
 * @property {number} version of the format
 * @property {number} width @property {number} height
 * @property {8 | 16} bitDepth
 * @property {number} channels
 * @property {number} features hidden ones
 * @property {number} layers hidden ones, the first not counted
 * @property {number} omega0
 * @property {number[]} grids exponents, rising; none if pure
 * @property {boolean} hasMetadata
 * @property {import("./layout.js").Tiling | null} tiling null where nothing is cut into segments
 * @property {Segment[]} segments in the order of the file
 * @property {number} payloadStart @property {number} payloadBytes the coded matrices; in version 0
 *   latents are in the same stream
 * @property {number} end of all that is coded
 *
 * @typedef {object} Segment
 * @property {number} start @property {number} end in the file
 * @property {boolean} isZero whether it has no bytes, all of its latents being 0
 * @property {number} checksum
 *
 * @typedef {object} Container
 * @property {Header} header
 * @property {Uint8Array | null} metadata the section's frame, not looked at
 */

/** CRC-32 as zlib computes it. @param {Uint8Array} data @returns {number} */
export function checksum(data) {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  }
  return crc >>> 0;
});

/** CRC-16 of a segment. @param {Uint8Array} data @returns {number} */
export function segmentChecksum(data) {
  let crc = 0xffff;
  for (const byte of data) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : crc << 1;
    }
  }
  return crc;
}

class Reader {
  /** @param {Uint8Array} data @param {number} [offset] */
  constructor(data, offset = 0) {
    this.data = data;
    this.offset = offset;
  }

  /** @param {number} count @param {string} what @returns {Uint8Array} */
  take(count, what) {
    const end = this.offset + count;
    if (end > this.data.length) {
      throw new SirenError("TruncatedError", `file ends early (${what})`);
    }
    const part = this.data.subarray(this.offset, end);
    this.offset = end;
    return part;
  }

  /** @param {string} field @param {number} least @param {number} most @returns {number} */
  field(field, least, most) {
    const value = this.varint(field);
    if (value < least || value > most) {
      throw new SirenError("CorruptError", `${value} is outside ${least} to ${most} (${field})`);
    }
    return value;
  }

  /** @param {string} field @returns {number} */
  varint(field) {
    let value = 0;
    for (let index = 0; index < 4; index++) {
      const [byte] = this.take(1, field);
      value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) {
        if (index && !byte) {
          throw new SirenError("CorruptError", `integer is not in its shortest form (${field})`);
        }
        return value;
      }
    }
    throw new SirenError("CorruptError", `integer is too long (${field})`);
  }

  /** @param {number} bytes @param {string} what @returns {number} */
  number(bytes, what) {
    return this.take(bytes, what).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }
}

/**
 * First bytes of a file -> its header. That they end before it does is a TruncatedError.
 * @param {Uint8Array} data
 * @param {number} priorChecksum of the prior that this decoder has
 * @returns {Header}
 */
export function readHeader(data, priorChecksum) {
  for (let at = 0; at < MAGIC.length; at++) {
    if (at >= data.length && at) {
      throw new SirenError("TruncatedError", "file ends inside the magic");
    }
    if (data[at] !== MAGIC[at]) {
      throw new SirenError("NotSirenError", "not a .siren file");
    }
  }
  const reader = new Reader(data, MAGIC.length);
  const [version, flags] = reader.take(2, "version and flags");
  if (version > 1) {
    throw new SirenError("VersionError", `file has format version ${version}; this decoder reads 0 and 1`);
  }
  if (flags & (version ? 0b1100_0000 : 0b1110_0000)) {
    throw new SirenError("CorruptError", "reserved flags are set");
  }
  const width = reader.field("width", 1, 65535);
  const height = reader.field("height", 1, 65535);
  const features = reader.field("hidden_features", 1, 1024);
  const layers = reader.field("hidden_layers", 0, 64);
  const omega0 = reader.field("omega_0", 1, 65535);
  const grids = flags & 0b1_0000 ? readGrids(reader, priorChecksum) : [];
  const tiling = version && grids.length ? readTiling(reader, grids) : null;
  if (flags & 0b10_0000) {
    readExtensions(reader);
  }
  const payloadBytes = reader.field("payload_bytes", 1, MOST_BYTES);
  const lengths = tiling ? readTable(reader, countSegments({ width, height }, grids, tiling)) : [];
  const payloadStart = reader.offset;
  let end = payloadStart + payloadBytes + CHECKSUM_BYTES;
  const segments = lengths.map(({ bytes, ...facts }) => ({ start: end, end: (end += bytes), ...facts }));
  return {
    version, width, height, features, layers, omega0, grids, tiling, segments, payloadStart, payloadBytes, end,
    channels: 1 + (flags & 3),
    bitDepth: flags & 0b100 ? 16 : 8,
    hasMetadata: Boolean(flags & 0b1000),
  };
}

/** Table of segments. @param {Reader} reader @param {number} count @returns {{bytes: number, isZero: boolean, checksum: number}[]} */
function readTable(reader, count) {
  const entries = [];
  for (let number = 0; number < count; number++) {
    const bytes = reader.field("segment_bytes", 0, MOST_BYTES);
    const isZero = bytes === 0;
    entries.push({ isZero, bytes: isZero ? 0 : bytes - 1, checksum: isZero ? 0 : reader.number(2, "segment checksum") });
  }
  return entries;
}

/**
 * File -> its parts; checksum of the head and all lengths are right. Segments verify themselves.
 * @param {Uint8Array} data
 * @param {number} priorChecksum of the prior that this decoder has
 * @param {import("./limits.js").Limits} limits
 * @returns {Container}
 */
export function parseContainer(data, priorChecksum, limits) {
  check("maxFileBytes", data.length, limits);
  const header = readHeader(data, priorChecksum);
  verifyHead(data, header);
  const reader = new Reader(data, header.payloadStart + header.payloadBytes + CHECKSUM_BYTES);
  reader.take(header.end - reader.offset, "segments");
  let metadata = null;
  if (header.hasMetadata) {
    metadata = reader.take(reader.field("metadata_bytes", 1, MOST_BYTES), "metadata");
    reader.take(4, "metadata checksum");
  }
  if (reader.offset !== data.length) {
    throw new SirenError("CorruptError", "bytes follow the end of the file");
  }
  return { header, metadata };
}

/** Matrices and the checksum behind them. @param {Uint8Array} data @param {Header} header @returns {Uint8Array} the coded matrices */
export function verifyHead(data, { payloadStart, payloadBytes }) {
  const reader = new Reader(data, payloadStart);
  const matrices = reader.take(payloadBytes, "payload");
  const end = reader.offset;
  if (reader.number(CHECKSUM_BYTES, "picture checksum") !== checksum(data.subarray(0, end))) {
    throw new SirenError("CorruptError", "checksum of the picture does not match");
  }
  return matrices;
}

/** @param {Reader} reader @param {number[]} grids @returns {import("./layout.js").Tiling} */
function readTiling(reader, grids) {
  const tiling = reader.field("tiling", 0, MOST_TILING);
  const [logSide, shared] = [SMALLEST_LOG_TILE + (tiling % 16), tiling >> 4];
  if (logSide > LARGEST_LOG_TILE || shared < grids[0] || shared > grids[grids.length - 1] + 1) {
    throw new SirenError("CorruptError", `no tiles of 2^${logSide} with grids from ${shared} on shared`);
  }
  return { logSide, shared };
}

/** None of them holds what this decoder has to know. @param {Reader} reader */
function readExtensions(reader) {
  const content = new Reader(reader.take(reader.field("extension_bytes", 1, MOST_BYTES), "extensions"));
  let last = -1;
  while (content.offset < content.data.length) {
    const tag = readExtension(content);
    if (tag <= last) {
      throw new SirenError("CorruptError", "tags of extensions do not rise");
    }
    if (tag % 2) {
      throw new SirenError("VersionError", `file needs extension ${tag}, which this decoder does not have`);
    }
    last = tag;
  }
}

/** @param {Reader} content @returns {number} tag */
function readExtension(content) {
  try {
    const tag = content.field("extension tag", 0, MOST_BYTES);
    content.take(content.field("extension length", 0, MOST_BYTES), "extension");
    return tag;
  } catch (error) {
    if (error instanceof SirenError && error.name === "TruncatedError") {
      throw new SirenError("CorruptError", "extension leaves its block");
    }
    throw error;
  }
}

/** @param {Reader} reader @param {number} priorChecksum @returns {number[]} */
function readGrids(reader, priorChecksum) {
  const exponents = reader.field("grids", 0, 54);
  const [finest, coarsest] = [exponents % 8, exponents >> 3];
  if (finest > coarsest || coarsest > 6) {
    throw new SirenError("CorruptError", `no grids from ${finest} to ${coarsest}`);
  }
  const prior = reader.field("prior", 1, 127);
  if (prior !== 1) {
    throw new SirenError("VersionError", `this decoder does not have prior ${prior}`);
  }
  if (reader.number(2, "prior checksum") !== (priorChecksum & 0xffff)) {
    throw new SirenError("CorruptError", "the prior is not the one the file means");
  }
  return Array.from({ length: coarsest - finest + 1 }, (_, at) => finest + at);
}
