// Size and crop asked for -> points of an output pixel, and the octave to ask in: synthesis/region.py.
import { SirenError } from "./errors.js";

export const DETAIL_GRIDS = 2; // count as 0 where the picture is reduced beyond them
const FEWEST_POINTS_PER_CELL = 4; // along an axis, of a reduced picture
const MOST_POINTS_PER_CELL = 64;
const MOST_POINTS = 2 ** 20; // of a picture that is not reduced
const MOST_REDUCED_POINTS = 2 ** 19; // of one that is
const EDGE_PIXELS = 1e-6; // that a crop may reach beyond the picture: fractions are rounded

/**
 * @typedef {[number, number, number, number]} Crop left, top, width and height in stored pixels
 *
 * @typedef {object} PerPixel points along an axis that an output pixel is the mean of
 * @property {number} [fewest] that a reduced picture has to leave: with fewer, more is reduced
 * @property {number} [most]
 *
 * @typedef {object} Region
 * @property {Crop} crop
 * @property {number} width @property {number} height output pixels
 * @property {number} pointsAcross @property {number} pointsDown of an output pixel
 * @property {number} octave the picture is asked as reduced by 2^octave
 */

/** @param {number} octave @returns {number} exponent below which grids have no part */
export const finestNeeded = (octave) => Math.min(octave, DETAIL_GRIDS);

/** @param {number} length of the region @param {number} cells @param {number} octave @param {number} most @returns {number} */
function pointsPerCell(length, cells, octave, most) {
  if (cells >= length) {
    return 1;
  }
  const pixels = length / cells / 2 ** octave;
  return Math.min(most, Math.max(1, Math.ceil(pixels - 1e-9)));
}

/**
 * Header and wishes -> region.
 * @param {import("./container.js").Header} header
 * @param {number} width @param {number} height output pixels
 * @param {Crop} [crop] all of the picture, if left out
 * @param {PerPixel} [perPixel]
 * @returns {Region}
 */
export function chooseRegion(header, width, height, crop = [0, 0, header.width, header.height], perPixel = {}) {
  const { fewest = FEWEST_POINTS_PER_CELL, most = MOST_POINTS_PER_CELL } = perPixel;
  if (!(Number.isInteger(width) && Number.isInteger(height) && Math.min(width, height) >= 1)) {
    throw new SirenError("ParameterError", `output size ${width} x ${height} is not positive`);
  }
  const [left, top, across, down] = crop;
  if (!(crop.every(Number.isFinite) && Math.min(across, down) > 0)) {
    throw new SirenError("ParameterError", `crop ${crop} has no area`);
  }
  const isOutside = left + across > header.width + EDGE_PIXELS || top + down > header.height + EDGE_PIXELS;
  if (isOutside || Math.min(left, top) < -EDGE_PIXELS) {
    throw new SirenError("ParameterError", `crop ${crop} leaves the picture, ${header.width} x ${header.height}`);
  }
  const inOctave = (/** @type {number} */ octave) => /** @type {Region} */ ({
    crop, width, height, octave,
    pointsAcross: pointsPerCell(left + across - left, width, octave, most),
    pointsDown: pointsPerCell(top + down - top, height, octave, most),
  });
  const coarsest = Math.max(0, ...header.grids);
  const pixelsOf = (/** @type {Region} */ each) =>
    width * pointsPerCell(left + across - left, width, each.octave, Infinity) *
    height * pointsPerCell(top + down - top, height, each.octave, Infinity);
  const isLarge = (/** @type {Region} */ each) => pixelsOf(each) > (each.octave ? MOST_REDUCED_POINTS : MOST_POINTS);
  let region = inOctave(0);
  while (region.octave < coarsest && (fewest < FEWEST_POINTS_PER_CELL || isLarge(region))) {
    const next = inOctave(region.octave + 1);
    if (Math.min(next.pointsAcross, next.pointsDown) < fewest) {
      break;
    }
    region = next;
  }
  return region;
}
