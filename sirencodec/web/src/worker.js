// What runs beside the page: one worker reads a file, others paint it. remote.js talks to them.
import { Decoder, SirenError, SirenFunction, hasVectors } from "./index.js";
import { inspect } from "./inspection.js";
import { enlargeByLanczos } from "./lanczos.js";
import { NO_METADATA, readMetadata, readOrientation } from "./metadata.js";
import { writePng } from "./png.js";
import { storedCrop, turnUpright, uprightSize } from "./upright.js";

/**
 * @typedef {{blob: Blob} | {address: string}} Source
 * @typedef {import("./region.js").Crop} Crop
 *
 * @typedef {object} Shown what is painted: everything but the grids
 * @property {import("./container.js").Header} header
 * @property {import("./matrices.js").Numbers} numbers
 * @property {import("./metadata.js").Metadata} metadata
 * @property {number} orientation
 *
 * @typedef {object} Wish a part of the upright picture, in its pixels, and the size to paint it at
 * @property {number} width @property {number} height @property {Crop} crop
 * @property {boolean} [isLanczos] enlarged from its pixels, where it is enlarged
 * @property {import("./region.js").PerPixel} [perPixel]
 */

const PATIENCE = 1.5; // more has to come before what could not be decoded is tried again
const STRIP_SAMPLES = 1 << 20; // of a PNG file at a time

/** @param {string} name @returns {Promise<Uint8Array>} */
async function ownFile(name) {
  const answer = await fetch(new URL(`../dist/${name}`, import.meta.url));
  if (!answer.ok) {
    throw new Error(`the decoder's own file ${name} is missing: ${answer.status}`);
  }
  return new Uint8Array(await answer.arrayBuffer());
}

const decoder = (async () => {
  const loops = ownFile(hasVectors() ? "siren-simd128.wasm" : "siren-plain.wasm");
  return Decoder.create(await loops, await ownFile("prior-1.bin"));
})();
decoder.catch(() => {}); // whoever awaits it says so

/** @param {Source} source @returns {Promise<ReadableStream<Uint8Array>>} */
async function streamOf(source) {
  if ("blob" in source) {
    return source.blob.stream();
  }
  let answer;
  try {
    answer = await fetch(source.address, { credentials: "omit", referrerPolicy: "no-referrer" });
  } catch {
    throw new SourceError("it cannot be reached, or its server does not let other pages read it (CORS)");
  }
  if (!answer.ok || !answer.body) {
    throw new SourceError(`the server answers ${answer.status} ${answer.statusText}`.trim());
  }
  return answer.body;
}

class SourceError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "SourceError";
  }
}

/** Let messages in. @returns {Promise<void>} */
const breathe = () =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (port1.close(), resolve());
    port2.postMessage(null);
  });

/** Reads a file and tells of each part as it is known. */
class ArrivingFile {
  /** @param {(event: object, transfer?: Transferable[]) => void} tell */
  constructor(tell) {
    this.tell = tell;
    this.metadata = NO_METADATA;
  }

  /** @param {Source} source */
  async read(source) {
    const opening = (await decoder).begin();
    const reader = (await streamOf(source)).getReader();
    let next = 0;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        break;
      }
      opening.feed(value);
      this.tell({ event: "arrived", bytes: opening.length });
      // Which way is up is said at the file's end, if anything is.
      if (opening.length >= next && opening.begin() && !opening.header?.hasMetadata) {
        await this.advance(opening);
        next = opening.header?.version ? 0 : PATIENCE * opening.length; // segments say where they end
      }
    }
    const { metadata } = opening.verify();
    this.metadata = readMetadata(metadata);
    await this.advance(opening);
    opening.finish();
    return { fileBytes: opening.length, metadataBytes: metadata?.length ?? 0 };
  }

  /** @param {import("./opening.js").Opening} opening */
  async advance(opening) {
    for (let found = opening.advance(); found; found = opening.advance()) {
      const picture = /** @type {SirenFunction} */ (opening.picture);
      if ("matrices" in found) {
        const { header, numbers } = picture;
        const orientation = readOrientation(this.metadata.exif);
        this.tell({ event: "matrices", shown: { header, numbers, metadata: this.metadata, orientation } });
      } else {
        const { grid, window } = found;
        const samples = picture.getSamples(grid, window);
        const isWhole = window.bottom === grid.rows && window.right === grid.columns;
        this.tell({ event: "grid", exponent: grid.exponent, window, samples, isWhole }, [samples.buffer]);
      }
      await breathe();
    }
  }
}

/** Paints a picture whose grids it is given. */
class Painter {
  /** @param {Shown} shown @param {Decoder} ready */
  constructor(shown, ready) {
    this.shown = shown;
    this.picture = new SirenFunction(ready.loops, shown.header, shown.numbers, ready.limits);
  }

  /** Wish -> samples of the upright picture. @param {Wish} wish @param {8 | 16} bitDepth */
  samples({ width, height, crop, isLanczos, perPixel }, bitDepth) {
    const { header, orientation } = this.shown;
    const stored = storedCrop(crop, header.width, header.height, orientation);
    const [across, down] = uprightSize(width, height, orientation);
    const isEnlarged = across > stored[2] || down > stored[3];
    const samples =
      isLanczos && isEnlarged
        ? enlargeByLanczos(this.picture, across, down, stored)
        : this.picture.sample(across, down, stored, { bitDepth, perPixel });
    return turnUpright(samples, width, height, header.channels, orientation);
  }

  /** @param {Wish} wish @returns {Promise<ImageBitmap>} */
  async bitmap(wish) {
    const samples = this.samples(wish, 8);
    const { channels } = this.shown.header;
    const image = new ImageData(wish.width, wish.height);
    const { data } = image;
    const isGray = channels < 3;
    const hasAlpha = channels % 2 === 0;
    for (let pixel = 0, at = 0; pixel < data.length; pixel += 4, at += channels) {
      data[pixel] = samples[at];
      data[pixel + 1] = samples[isGray ? at : at + 1];
      data[pixel + 2] = samples[isGray ? at : at + 2];
      data[pixel + 3] = hasAlpha ? samples[at + channels - 1] : 255;
    }
    return createImageBitmap(image);
  }

  /** Size -> PNG file of the whole picture. @param {number} width @param {number} height @returns {Promise<Blob>} */
  png(width, height) {
    const { header, metadata, orientation } = this.shown;
    const [uprightWidth, uprightHeight] = uprightSize(header.width, header.height, orientation);
    const { channels, bitDepth } = header;
    const rows = Math.max(1, Math.floor(STRIP_SAMPLES / (width * channels)));
    const paint = this.samples.bind(this);
    function* strips() {
      for (let first = 0; first < height; first += rows) {
        const count = Math.min(rows, height - first);
        const [top, down] = [first, count].map((row) => (row * uprightHeight) / height);
        yield paint({ width, height: count, crop: [0, top, uprightWidth, down] }, bitDepth);
      }
    }
    return writePng({ width, height, channels, bitDepth }, strips(), metadata);
  }
}

/** @type {Painter | null} */
let painter = null;
const theirs = () => /** @type {Painter} */ (painter);

/** @type {Record<string, (asked: any, tell: (event: object, transfer?: Transferable[]) => void) => any>} */
const ANSWERS = {
  read: ({ source }, tell) => new ArrivingFile(tell).read(source),
  show: async ({ shown }) => {
    painter = new Painter(shown, await decoder);
  },
  grid: ({ exponent, window, samples }) => theirs().picture.setSamples(exponent, window, samples),
  bitmap: ({ wish }) => theirs().bitmap(wish),
  png: ({ width, height }) => theirs().png(width, height),
  inspect: () => inspect(theirs().picture),
};

let last = Promise.resolve();
self.onmessage = ({ data }) => {
  const { number, ask, ...asked } = data;
  const tell = (/** @type {object} */ event, /** @type {Transferable[]} */ transfer = []) =>
    self.postMessage({ number, ...event }, { transfer });
  // One after another: a grid is known before what is asked of it.
  last = last.then(async () => {
    try {
      const answer = await ANSWERS[ask](asked, tell);
      tell({ answer }, answer instanceof ImageBitmap ? [answer] : []);
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      const isOurs = error instanceof SirenError || error instanceof SourceError;
      tell({ error: isOurs ? { name, message } : { name: "Error", message: `something went wrong: ${message}` } });
    }
  });
};
