// What a file may ask of the browser, known from its header before anything is taken: limits.py.
import { SirenError } from "./errors.js";
import { finestNeeded } from "./region.js";

// In multiply-adds, or what takes as long: bitstream/work.py.
const POINT_MULTIPLY_ADDS = 150;
const SINE_MULTIPLY_ADDS = 8;
const FEATURE_MULTIPLY_ADDS = 50;
const REFINEMENT_MULTIPLY_ADDS = 700;
const LATENT_MULTIPLY_ADDS = 2000;
const LATENT_BYTES = 4;

/**
 * @typedef {object} Limits
 * @property {number} maxFileBytes
 * @property {number} maxSidePixels of an output @property {number} maxPixels of an output
 * @property {number} maxParameters @property {number} maxLatents
 * @property {number} maxMultiplyAdds of one decode
 * @property {number} maxMemoryBytes samples and latents of one decode
 */

/** Those of the Python package, but for arithmetic: a minute of one core without its threads. @type {Limits} */
export const DEFAULT_LIMITS = {
  maxFileBytes: 64 * 2 ** 20,
  maxSidePixels: 2 ** 20,
  maxPixels: 2 ** 27,
  maxParameters: 2 ** 22,
  maxLatents: 2 ** 27,
  maxMultiplyAdds: 2 ** 38,
  maxMemoryBytes: 640 * 2 ** 20,
};

/** @param {keyof Limits} name @param {number} value @param {Limits} limits */
export function check(name, value, limits) {
  if (value > limits[name]) {
    const what = name.slice(3).replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim();
    throw new SirenError("LimitError", `${value} ${what} exceed the limit of ${limits[name]}`);
  }
}

/** Weights and biases of the network. @param {import("./container.js").Header} header @returns {number} */
export function countParameters({ features, layers, channels, grids }) {
  return features * (3 + grids.length) + layers * features * (features + 1) + channels * (features + 1);
}

/** Samples of grids from an exponent on. @param {import("./container.js").Header} header @param {number} [finest] @returns {number} */
export function countLatents({ width, height, grids }, finest = 0) {
  return grids
    .filter((exponent) => exponent >= finest)
    .reduce((sum, exponent) => sum + Math.ceil(width / 2 ** exponent) * Math.ceil(height / 2 ** exponent), 0);
}

/** Multiply-adds of a decode, about. @param {import("./container.js").Header} header @param {number} points @param {number} [finest] @returns {number} */
export function decodingWork(header, points, finest = 0) {
  let perPoint = countParameters(header) + FEATURE_MULTIPLY_ADDS * header.grids.length;
  perPoint += header.grids.length ? REFINEMENT_MULTIPLY_ADDS : 0;
  perPoint += SINE_MULTIPLY_ADDS * header.features * (header.layers + 1) + POINT_MULTIPLY_ADDS;
  return points * perPoint + countLatents(header, finest) * LATENT_MULTIPLY_ADDS;
}

/** Throw if a file's integers alone are too many. @param {import("./container.js").Header} header @param {Limits} limits */
export function checkIntegers(header, limits) {
  check("maxParameters", countParameters(header), limits);
  const latents = countLatents(header);
  check("maxLatents", latents, limits);
  check("maxMemoryBytes", latents * LATENT_BYTES, limits);
  check("maxMultiplyAdds", latents * LATENT_MULTIPLY_ADDS, limits);
}

/** Throw if asking for a region is too much. @param {import("./container.js").Header} header @param {import("./region.js").Region} region @param {Limits} limits */
export function checkRegion(header, region, limits) {
  const { width, height, pointsAcross, pointsDown, octave } = region;
  const finest = finestNeeded(octave);
  check("maxSidePixels", Math.max(width, height), limits);
  check("maxPixels", width * height, limits);
  const sampleBytes = (header.channels * header.bitDepth) / 8;
  const latents = countLatents(header, finest);
  check("maxMemoryBytes", width * height * sampleBytes + latents * LATENT_BYTES, limits);
  check("maxMultiplyAdds", decodingWork(header, width * height * pointsAcross * pointsDown, finest), limits);
}
