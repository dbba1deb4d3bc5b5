// What a file says of itself, and what its layers do, as elements.
import { countLatents, countParameters, decodingWork } from "../src/limits.js";
import { bytesInWords } from "./words.js";

const MODES = ["L", "LA", "RGB", "RGBA"];
const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, FLOOR] = [300, 96, 80];

/** @param {string} name @param {string} [text] @param {Node[]} [children] @returns {HTMLElement} */
function make(name, text = "", children = []) {
  const made = document.createElement(name);
  made.append(text, ...children);
  return made;
}

/** @param {number} number @returns {string} */
const grouped = (number) => number.toLocaleString("en");

/** @param {import("../src/remote.js").Facts} facts @param {number} seconds until all of it was known @returns {HTMLElement} */
export function factsPanel(facts, seconds) {
  const { header, metadata, fileBytes, metadataBytes } = facts;
  const { width, height, channels, bitDepth, grids, features, layers, omega0 } = header;
  const pixels = width * height;
  const plain = (pixels * channels * bitDepth) / 8;
  const blocks = /** @type {const} */ (["icc", "exif", "xmp"])
    .map((name) => [name.toUpperCase(), metadata[name]?.length])
    .filter(([, bytes]) => bytes)
    .map(([name, bytes]) => `${name} ${grouped(Number(bytes))} bytes`);
  const damaged = metadata.isDamaged ? "damaged: colours and orientation are as stored" : "";
  const list = [
    ["Picture", `${width} × ${height}, ${MODES[channels - 1]}, ${bitDepth} bits a sample`],
    ...(facts.orientation > 1 ? [["Turned", `as EXIF orientation ${facts.orientation} says`]] : []),
    ["File", `${grouped(fileBytes)} bytes, ${((8 * fileBytes) / pixels).toFixed(3)} bits a pixel; plain samples take ${grouped(Math.round(plain / fileBytes))} times as much`],
    ["Format", `version ${header.version}, ${grids.length ? "pyramid" : "pure"}`],
    ["Network", `${layers + 1} sine ${layers ? "layers" : "layer"} of ${features}; ${grouped(countParameters(header))} weights; ω₀ ${omega0}`],
    ["Grids", grids.length ? `${grouped(countLatents(header))} integers, 1/${2 ** grids[0]} to 1/${2 ** grids[grids.length - 1]} of the size` : "none"],
    ["Work", `${grouped(Math.floor(decodingWork(header, pixels) / pixels))} multiply-adds a pixel`],
    ["Metadata", damaged || (metadataBytes ? `${blocks.join(", ")}; ${bytesInWords(metadataBytes)} compressed` : "none")],
    ["Read", `and decoded to integers in ${seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`}, on this device`],
  ];
  const terms = list.flatMap(([term, text]) => [make("dt", term), make("dd", text)]);
  return make("section", "", [make("h2", "What the file says of itself"), make("dl", "", terms)]);
}

/** @param {import("../src/remote.js").RemotePicture} picture @returns {Promise<HTMLElement>} */
export async function layersPanel(picture) {
  let layers;
  try {
    layers = await picture.inspect();
  } catch (error) {
    return make("p", /** @type {Error} */ (error).message);
  }
  const parts = layers.flatMap((layer, at) => {
    const isLast = !layer.activations;
    const title = isLast ? "Last layer: the picture's values" : `Layer ${at + 1}: ${layer.inputs} inputs, ${layer.outputs} sines`;
    const first = isLast ? "values: 0 is black, 1 is white" : "before the sine, in radians";
    const figures = [histogram(layer.phases, first)];
    if (layer.activations) {
      figures.push(histogram(layer.activations, "after it"));
    }
    return [make("h3", title), ...figures];
  });
  const intro = make("p", "Bars: this network at the picture's pixels. Line: what SIREN's theory says of the network that a fit starts from. What differs, the fit has learned.");
  intro.className = "quiet";
  return make("section", "", [make("h2", "Inside the network"), intro, ...parts]);
}

/** @param {string} name @param {Record<string, string | number>} attributes @param {string} [text] @returns {SVGElement} */
function draw(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, String(value)));
  made.append(text);
  return made;
}

/** @param {import("../src/inspection.js").Histogram} data @param {string} what @returns {HTMLElement} */
function histogram({ mean, deviation, low, high, density, theory }, what) {
  const curves = theory ? [density, theory.density] : [density];
  // The outermost bins of an arcsine would squeeze all others.
  const highest = 1.15 * Math.max(...curves.map((curve) => [...curve].sort((a, b) => b - a)[2]), 1e-12);
  const step = WIDTH / density.length;
  const y = (/** @type {number} */ value) => +(FLOOR * (1 - Math.min(1, value / highest))).toFixed(2);
  const outline = density.map((value, at) => `V${y(value)}H${+((at + 1) * step).toFixed(2)}`).join("");
  const parts = [draw("path", { class: "measured", d: `M0 ${FLOOR}${outline}V${FLOOR}Z` })];
  if (theory) {
    const points = theory.density.map((value, at) => `${+((at + 0.5) * step).toFixed(2)},${y(value)}`);
    parts.push(draw("polyline", { class: "theory", points: points.join(" ") }));
  }
  parts.push(draw("line", { class: "axis", x1: 0, x2: WIDTH, y1: FLOOR, y2: FLOOR }));
  const label = (/** @type {number} */ at, /** @type {string} */ anchor) =>
    draw("text", { x: ((at - low) / (high - low)) * WIDTH, y: FLOOR + 12, "text-anchor": anchor }, String(+at.toPrecision(2)));
  parts.push(label(low, "start"), label((low + high) / 2, "middle"), label(high, "end"));
  const numbers = theory
    ? `deviation ${deviation.toFixed(3)}, theory ${theory.deviation.toFixed(3)}`
    : `mean ${mean.toFixed(2)}, deviation ${deviation.toFixed(2)}`;
  const chart = draw("svg", { class: "histogram", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${what}: ${numbers}` });
  chart.append(...parts);
  const figure = make("figure", "", [chart, make("figcaption", `${what}; ${numbers}`)]);
  return figure;
}
