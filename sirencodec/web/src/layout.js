// How the latents of a file are cut into segments (FORMAT.md, section 8): bitstream/tiling.py.

/**
 * @typedef {object} Window rows and columns of a grid, ends not included
 * @property {number} top @property {number} bottom @property {number} left @property {number} right
 *
 * @typedef {{exponent: number, window: Window}[]} Part what a segment holds, in the order of coding
 *
 * @typedef {object} Tiling
 * @property {number} logSide log2 of the most samples along a side of a tile
 * @property {number} shared exponent from which on grids share the first segment
 */

const REACH = 2; // samples of the coarser level on either side that a doubling sees
const MARGIN = 6; // pixels that a point sees on either side, by Lanczos and the refinement

/** @param {{width: number, height: number}} header @param {number} exponent @returns {Window} */
export function wholeGrid({ width, height }, exponent) {
  return { top: 0, bottom: Math.ceil(height / 2 ** exponent), left: 0, right: Math.ceil(width / 2 ** exponent) };
}

/** Samples along an axis -> where tiles begin, and the end. @param {number} length @param {number} logSide @returns {number[]} */
function edges(length, logSide) {
  const tiles = Math.ceil(length / 2 ** logSide);
  const places = Math.ceil(length / 2);
  return Array.from({ length: tiles + 1 }, (_, tile) => (tile < tiles ? 2 * Math.floor((tile * places) / tiles) : length));
}

/** How many segments there are. @param {{width: number, height: number}} size @param {number[]} grids @param {Tiling} tiling @returns {number} */
export function countSegments(size, grids, { logSide, shared }) {
  const tiled = grids.filter((exponent) => exponent < shared);
  const tiles = tiled.map((exponent) => {
    const { bottom, right } = wholeGrid(size, exponent);
    return Math.ceil(bottom / 2 ** logSide) * Math.ceil(right / 2 ** logSide);
  });
  return tiles.reduce((sum, count) => sum + count, tiled.length < grids.length ? 1 : 0);
}

/** What each segment holds, in the order of the file. @param {{width: number, height: number, grids: number[]}} header @param {Tiling} tiling @returns {Part[]} */
export function partsOf(header, { logSide, shared }) {
  const coarseFirst = [...header.grids].reverse();
  const first = coarseFirst.filter((exponent) => exponent >= shared);
  /** @type {Part[]} */
  const parts = first.length ? [first.map((exponent) => ({ exponent, window: wholeGrid(header, exponent) }))] : [];
  for (const exponent of coarseFirst.slice(first.length)) {
    const { bottom, right } = wholeGrid(header, exponent);
    const [down, across] = [edges(bottom, logSide), edges(right, logSide)];
    for (let row = 0; row + 1 < down.length; row++) {
      for (let column = 0; column + 1 < across.length; column++) {
        const window = { top: down[row], bottom: down[row + 1], left: across[column], right: across[column + 1] };
        parts.push([{ exponent, window }]);
      }
    }
  }
  return parts;
}

/** @param {Window} a @param {Window} b @returns {boolean} whether they have samples in common */
const touch = (a, b) => a.top < b.bottom && b.top < a.bottom && a.left < b.right && b.left < a.right;

/** The smallest window around both. @param {Window | undefined} a @param {Window} b @returns {Window} */
function around(a, b) {
  return a
    ? { top: Math.min(a.top, b.top), bottom: Math.max(a.bottom, b.bottom), left: Math.min(a.left, b.left), right: Math.max(a.right, b.right) }
    : b;
}

/**
 * Region -> numbers of the segments that its samples depend on, rising.
 * @param {import("./container.js").Header} header of a file that has segments
 * @param {import("./region.js").Region} region
 * @returns {number[]}
 */
export function neededSegments(header, region) {
  const parts = partsOf(header, /** @type {Tiling} */ (header.tiling));
  /** @type {Map<number, Window>} */
  const wanted = new Map();
  for (const exponent of header.grids) {
    if (exponent >= Math.min(region.octave, 2)) {
      wanted.set(exponent, seenWindow(header, region, exponent));
    }
  }
  const needed = new Set();
  // From the finest on: what a tile is predicted from is needed as well.
  for (const exponent of header.grids) {
    const window = wanted.get(exponent);
    if (!window) {
      continue;
    }
    parts.forEach((part, number) => {
      const mine = part.find((each) => each.exponent === exponent);
      if (!mine || !touch(mine.window, window)) {
        return;
      }
      needed.add(number);
      let { top, bottom, left, right } = mine.window;
      for (const coarser of [exponent + 1, exponent + 2]) {
        [top, bottom, left, right] = [(top >> 1) - 1, ((bottom + 1) >> 1) + 1, (left >> 1) - 1, ((right + 1) >> 1) + 1];
        if (header.grids.includes(coarser)) {
          wanted.set(coarser, around(wanted.get(coarser), { top, bottom, left, right }));
        }
      }
    });
  }
  return /** @type {number[]} */ ([...needed].sort((a, b) => a - b));
}

/** Region -> what it sees of a grid. @param {import("./container.js").Header} header @param {import("./region.js").Region} region @param {number} exponent @returns {Window} */
function seenWindow(header, { crop, octave }, exponent) {
  const [left, top, across, down] = crop;
  const { bottom, right } = wholeGrid(header, exponent);
  const [first, last] = span(top, top + down, exponent, octave, bottom);
  const [from, to] = span(left, left + across, exponent, octave, right);
  return { top: first, bottom: last, left: from, right: to };
}

/** Interval of stored pixels -> samples of a grid, as synthesis/needed.py has it. @param {number} start @param {number} stop @param {number} exponent @param {number} octave @param {number} size @returns {[number, number]} */
function span(start, stop, exponent, octave, size) {
  let first = Math.trunc(start / 2 ** octave) - MARGIN;
  let end = Math.trunc(stop / 2 ** octave) + 1 + MARGIN;
  for (let level = octave; level < exponent; level++) {
    [first, end] = [(first >> 1) - REACH, ((end - 1) >> 1) + REACH + 1];
  }
  if (exponent < octave) {
    [first, end] = [first * 2 ** (octave - exponent), end * 2 ** (octave - exponent)];
  }
  first = Math.min(Math.max(first, 0), size - 1);
  return [first, Math.max(Math.min(end, size), first + 1)];
}
