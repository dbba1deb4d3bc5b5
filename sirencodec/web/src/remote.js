// A picture whose file is read, and whose pixels are painted, by workers: the page stays free.

/**
 * @typedef {import("./worker.js").Source} Source
 * @typedef {import("./worker.js").Shown} Shown
 * @typedef {import("./worker.js").Wish} Wish
 *
 * @typedef {object} Facts of a whole file
 * @property {import("./container.js").Header} header
 * @property {number} width @property {number} height upright
 * @property {number} orientation
 * @property {import("./metadata.js").Metadata} metadata
 * @property {number} fileBytes @property {number} metadataBytes
 */

const MOST_PAINTERS = 3;
const MOST_LATENTS_SHARED = 2 ** 24; // beyond, copies of the grids would take too much

/** What went wrong, with the kind of error in its name. */
export class RemoteError extends Error {
  /** @param {{name: string, message: string}} error */
  constructor({ name, message }) {
    super(message);
    this.name = name;
  }
}

/** A worker that is asked and answers. */
class Colleague {
  constructor() {
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void, hear?: (event: any) => void}>} */
    this.waiting = new Map();
    this.numbers = 0;
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(new RemoteError({ name: "Error", message: event.message || "the decoder could not be started" }));
    };
  }

  /** @param {any} message */
  hear({ number, answer, error, ...event }) {
    const asker = this.waiting.get(number);
    if (!asker) {
      return;
    }
    if (event.event) {
      asker.hear?.(event);
      return;
    }
    this.waiting.delete(number);
    if (error) {
      asker.reject(new RemoteError(error));
    } else {
      asker.resolve(answer);
    }
  }

  /** @param {string} ask @param {object} asked @param {(event: any) => void} [hear] @returns {Promise<any>} */
  ask(ask, asked, hear) {
    const number = this.numbers++;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject, hear });
      this.worker.postMessage({ number, ask, ...asked });
    });
  }

  /** @param {Error} error */
  fail(error) {
    this.worker.terminate();
    this.waiting.forEach(({ reject }) => reject(error));
    this.waiting.clear();
  }
}

/**
 * A `.siren` file, as it is read. Events: "arrived" (of bytes), "shown" (it can be painted, coarsely
 * at first), "finer" (more of a grid is known).
 */
export class RemotePicture extends EventTarget {
  /**
   * @param {Source} source a Blob (a File is one) or an address
   * @param {{painters?: number}} [options] how many workers paint; as fits the machine, if left out
   */
  constructor(source, { painters } = {}) {
    super();
    this.numPainters = painters;
    this.reader = new Colleague();
    /** @type {Colleague[]} */
    this.painters = [];
    /** @type {Shown | null} */
    this.shown = null;
    this.arrived = 0; // bytes
    /** @type {number | null} exponent of the finest grid that is known; null if none is */
    this.finest = null;
    this.isClosed = false;
    /** @type {Promise<Facts>} once all of it is read and found sound */
    this.whole = this.read(source);
    this.whole.catch(() => {}); // whoever awaits it hears of it
  }

  /** Upright size. @returns {{width: number, height: number}} */
  get size() {
    const { header, orientation } = /** @type {Shown} */ (this.shown);
    const [width, height] = orientation >= 5 ? [header.height, header.width] : [header.width, header.height];
    return { width, height };
  }

  /** Whether it may be transparent. @returns {boolean} */
  get hasAlpha() {
    return /** @type {Shown} */ (this.shown).header.channels % 2 === 0;
  }

  /** A part at a size -> picture. @param {Wish} wish @returns {Promise<ImageBitmap>} */
  bitmap(wish) {
    const [first, ...others] = this.painters;
    const freest = others.reduce((best, each) => (each.waiting.size < best.waiting.size ? each : best), first);
    return freest.ask("bitmap", { wish });
  }

  /** All of it at a size -> PNG file. @param {number} width @param {number} height @returns {Promise<Blob>} */
  png(width, height) {
    return this.painters[this.painters.length - 1].ask("png", { width, height });
  }

  /** Distributions of its layers. @returns {Promise<import("./inspection.js").Layer[]>} */
  inspect() {
    return this.painters[this.painters.length - 1].ask("inspect", {});
  }

  /** End its workers. Whatever is still awaited fails. */
  close() {
    this.isClosed = true;
    const closed = new RemoteError({ name: "AbortError", message: "the picture was closed" });
    [this.reader, ...this.painters].forEach((each) => each.fail(closed));
  }

  /** @param {Source} source @returns {Promise<Facts>} */
  async read(source) {
    try {
      const found = await this.reader.ask("read", { source }, (event) => this.hear(event));
      this.reader.fail(new RemoteError({ name: "AbortError", message: "the file has been read" }));
      const { header, orientation, metadata } = /** @type {Shown} */ (this.shown);
      return { header, orientation, metadata, ...this.size, ...found };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** @param {any} event */
  hear({ event, bytes, shown, exponent, window, samples, isWhole }) {
    if (this.isClosed) {
      return;
    }
    if (event === "arrived") {
      this.arrived = bytes;
    } else if (event === "matrices") {
      this.shown = shown;
      this.hirePainters();
      this.tellPainters("show", { shown });
    } else if (event === "grid") {
      this.finest = isWhole ? exponent : this.finest;
      this.tellPainters("grid", { exponent, window, samples });
    }
    this.dispatchEvent(new Event({ arrived: "arrived", matrices: "shown", grid: "finer" }[/** @type {string} */ (event)] ?? ""));
  }

  hirePainters() {
    const { width, height } = this.size;
    const spare = (navigator.hardwareConcurrency || 2) - 1;
    const several = width * height > MOST_LATENTS_SHARED ? 1 : Math.min(MOST_PAINTERS, Math.max(1, spare));
    this.painters = Array.from({ length: this.numPainters ?? several }, () => new Colleague());
  }

  /** @param {string} ask @param {object} asked */
  tellPainters(ask, asked) {
    for (const painter of this.painters) {
      painter.ask(ask, asked).catch((error) => this.dispatchEvent(new CustomEvent("failure", { detail: error })));
    }
  }
}
