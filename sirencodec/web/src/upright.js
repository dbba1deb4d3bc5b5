// EXIF orientation: how a stored picture is turned before it is shown; serve/orientation.py.

const SWAPPING = 5; // from here on, width and height change places
const MIRRORED_X = [2, 3, 7, 8]; // of the stored picture, seen from the upright one
const MIRRORED_Y = [3, 4, 6, 7];

/** @param {number} width @param {number} height @param {number} orientation @returns {[number, number]} */
export function uprightSize(width, height, orientation) {
  return orientation >= SWAPPING ? [height, width] : [width, height];
}

/**
 * Part of the upright picture -> the same part of the stored one.
 * @param {import("./region.js").Crop} crop @param {number} width @param {number} height stored
 * @param {number} orientation @returns {import("./region.js").Crop}
 */
export function storedCrop(crop, width, height, orientation) {
  let [left, top, across, down] = crop;
  if (orientation >= SWAPPING) {
    [left, top, across, down] = [top, left, down, across];
  }
  if (MIRRORED_X.includes(orientation)) {
    left = width - left - across;
  }
  if (MIRRORED_Y.includes(orientation)) {
    top = height - top - down;
  }
  return [left, top, across, down];
}

/**
 * Samples of the stored picture -> those of the upright one.
 * @template {Uint8Array | Uint16Array} Samples
 * @param {Samples} samples @param {number} width @param {number} height upright @param {number} channels
 * @param {number} orientation @returns {Samples}
 */
export function turnUpright(samples, width, height, channels, orientation) {
  if (orientation === 1) {
    return samples;
  }
  const [storedWidth, storedHeight] = uprightSize(width, height, orientation);
  const turned = /** @type {Samples} */ (samples.slice());
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let [column, row] = orientation >= SWAPPING ? [y, x] : [x, y];
      column = MIRRORED_X.includes(orientation) ? storedWidth - 1 - column : column;
      row = MIRRORED_Y.includes(orientation) ? storedHeight - 1 - row : row;
      for (let channel = 0; channel < channels; channel++) {
        turned[(y * width + x) * channels + channel] = samples[(row * storedWidth + column) * channels + channel];
      }
    }
  }
  return turned;
}
