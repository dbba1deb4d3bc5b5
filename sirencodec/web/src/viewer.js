// A picture -> a tile source of OpenSeadragon (6 or later), whose tiles workers decode.
import { RemotePicture } from "./remote.js";

export { RemotePicture };

const MOST_ZOOM = 16;
const TILE = 256;
// Points along an axis of a pixel, where the picture is shown smaller than it is stored. More than
// so many are found in a huge network without grids alone, which cannot be reduced.
const PER_PIXEL = { fewest: 2, most: 4 };

/**
 * @typedef {object} TileOptions
 * @property {number} [zoom] screen pixels for a stored one, each way, that tiles go up to; a power of 2
 * @property {number} [tileSize]
 * @property {boolean} [isLanczos] beyond the stored size, enlarge its pixels instead of asking the function
 */

/**
 * Picture that has been shown (see `RemotePicture`) -> tile source. To OpenSeadragon it is `zoom`
 * times as large as it is stored. What is known of the picture when a tile is asked for is shown:
 * once more is known, make another source of the same picture, and show that.
 * @param {any} OpenSeadragon
 * @param {RemotePicture} picture
 * @param {TileOptions} [options]
 */
export function tileSource(OpenSeadragon, picture, { zoom = MOST_ZOOM, tileSize = TILE, isLanczos = false } = {}) {
  const { width, height } = picture.size;
  const levels = Math.max(Math.ceil(Math.log2((Math.max(width, height) * zoom) / tileSize)), Math.log2(zoom));
  const source = new OpenSeadragon.TileSource({
    width: width * zoom,
    height: height * zoom,
    tileSize,
    tileOverlap: 0,
    minLevel: 0,
    maxLevel: levels,
  });
  const name = `siren:${++sources}`;
  return Object.assign(source, {
    getTileUrl: (/** @type {number} */ level, /** @type {number} */ x, /** @type {number} */ y) => `${name}/${level}/${x}_${y}`,
    hasTransparency: () => picture.hasAlpha,
    downloadTileStart(/** @type {any} */ job) {
      const { level, x, y } = job.tile;
      picture.bitmap({ ...tileWish(picture.size, tileSize, zoom / 2 ** (levels - level), x, y), isLanczos }).then(
        (bitmap) => (job.userData.isAborted ? bitmap.close() : job.finish(bitmap, null, "imageBitmap")),
        // Of a picture that was closed, nobody waits for tiles.
        (error) => job.userData.isAborted || error.name === "AbortError" || job.fail(error.message, null),
      );
    },
    downloadTileAbort(/** @type {any} */ job) {
      job.userData.isAborted = true;
    },
  });
}

let sources = 0;

/**
 * Tile of a level -> part of the picture and its size.
 * @param {{width: number, height: number}} size stored @param {number} tileSize
 * @param {number} scale of the level @param {number} column @param {number} row
 * @returns {import("./worker.js").Wish}
 */
function tileWish({ width, height }, tileSize, scale, column, row) {
  const stored = tileSize / scale;
  const [left, top] = [column * stored, row * stored];
  const across = Math.min(stored, width - left);
  const down = Math.min(stored, height - top);
  return {
    width: Math.max(1, Math.ceil(across * scale - 1e-9)),
    height: Math.max(1, Math.ceil(down * scale - 1e-9)),
    crop: [left, top, across, down],
    perPixel: PER_PIXEL,
  };
}
