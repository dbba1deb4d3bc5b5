// The page: a file is dropped, chosen or named, shown, compared, explained and saved.
import { Stage } from "./stage.js";
import { factsPanel, layersPanel } from "./panels.js";
import { bytesInWords } from "./words.js";
import { RemotePicture } from "../src/viewer.js";

const EXAMPLE = "page/example.siren";
const SAVE_SCALES = [1, 2, 4, 8];
const MOST_SAVED_PIXELS = 2 ** 26;
const KINDS = /** @type {Record<string, string>} */ ({
  NotSirenError: "This is not a .siren file.",
  VersionError: "This .siren file is newer than this page.",
  TruncatedError: "This .siren file is not whole: its end is missing.",
  CorruptError: "This .siren file is damaged.",
  LimitError: "This .siren file asks for more than a page should take.",
  SourceError: "This address cannot be opened:",
});

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);
const stage = new Stage(element("viewer"), element("divider"), element("zoom"));

/** @type {RemotePicture | null} */
let picture = null;

/** @param {import("../src/remote.js").Source} source @param {string} name */
async function open(source, name) {
  close();
  const started = performance.now();
  const opened = new RemotePicture(source);
  picture = opened;
  element("trouble").hidden = true;
  element("start").hidden = true;
  element("shown").hidden = false;
  element("name").textContent = name;
  document.title = name;
  setReady(false);
  element("progress").textContent = "Reading …";
  stage.show(opened);
  opened.addEventListener("shown", () => element("view").classList.toggle("transparent", opened.hasAlpha));
  opened.addEventListener("arrived", () => tell(opened));
  opened.addEventListener("finer", () => tell(opened));
  try {
    const facts = await opened.whole;
    if (picture === opened) {
      const seconds = (performance.now() - started) / 1000;
      setReady(true);
      const { width, height } = facts;
      const bpp = (8 * facts.fileBytes) / (width * height);
      element("progress").textContent =
        `${width} × ${height} pixels in ${bytesInWords(facts.fileBytes)}, ${bpp.toFixed(2)} bits a pixel`;
      fillScales(width, height);
      element("facts").onclick = () => toggle("facts", () => factsPanel(facts, seconds));
      element("layers").onclick = () => toggle("layers", () => layersPanel(opened));
    }
  } catch (error) {
    if (picture === opened) {
      explain(/** @type {Error} */ (error), name);
    }
  }
}

/** @param {RemotePicture} opened */
function tell(opened) {
  if (picture !== opened || !element("save").disabled) {
    return;
  }
  const finest = opened.shown && opened.finest;
  const known = finest === null ? "" : `, sharp to 1/${2 ** /** @type {number} */ (finest)} of its size`;
  element("progress").textContent = `${bytesInWords(opened.arrived)} read${known} …`;
}

function close() {
  picture?.close();
  picture = null;
  stage.clear();
  element("panel").hidden = true;
  setPressed("compare", "aria-pressed", false);
  for (const name of ["facts", "layers"]) {
    setPressed(name, "aria-expanded", false);
  }
  element("shown").hidden = true;
  element("start").hidden = false;
  document.title = "Open a .siren file";
}

/** @param {Error} error @param {string} name */
function explain(error, name) {
  close();
  const kind = KINDS[error.name] ?? "";
  element("trouble").textContent = `${name}: ${kind} (${error.message})`.replace(/^: /, "");
  element("trouble").hidden = false;
}

/** @param {boolean} isReady whether all of the file is there */
function setReady(isReady) {
  for (const name of ["facts", "layers", "save", "scale"]) {
    element(name).disabled = !isReady;
  }
}

/** @param {string} id @param {string} state @param {boolean} value */
const setPressed = (id, state, value) => element(id).setAttribute(state, String(value));

/** @param {"facts" | "layers"} which @param {() => Node | Promise<Node>} make */
async function toggle(which, make) {
  const isOpen = element(which).getAttribute("aria-expanded") === "true";
  for (const name of ["facts", "layers"]) {
    setPressed(name, "aria-expanded", name === which && !isOpen);
  }
  const panel = element("panel");
  panel.hidden = isOpen;
  panel.replaceChildren();
  if (!isOpen) {
    const asked = picture;
    const content = await make();
    if (picture === asked && element(which).getAttribute("aria-expanded") === "true") {
      panel.replaceChildren(content);
    }
  }
}

/** @param {number} width @param {number} height */
function fillScales(width, height) {
  const fitting = SAVE_SCALES.filter((scale) => scale === 1 || width * height * scale ** 2 <= MOST_SAVED_PIXELS);
  element("scale").replaceChildren(
    ...fitting.map((scale) => new Option(`${width * scale} × ${height * scale}`, String(scale))),
  );
}

async function save() {
  const saved = /** @type {RemotePicture} */ (picture);
  const scale = Number(element("scale").value);
  const { width, height } = saved.size;
  const button = element("save");
  [button.disabled, button.textContent] = [true, "Saving …"];
  try {
    const blob = await saved.png(width * scale, height * scale);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    const suffix = scale === 1 ? "" : `-${width * scale}`;
    link.download = `${element("name").textContent.replace(/\.siren$/i, "")}${suffix}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    if (picture === saved) {
      element("progress").textContent = `It could not be saved: ${/** @type {Error} */ (error).message}`;
    }
  }
  [button.disabled, button.textContent] = [false, "Save PNG"];
}

/** @param {string} text @param {string} [name] */
function openAddress(text, name) {
  let address;
  try {
    address = new URL(text, document.baseURI);
  } catch {
    address = null;
  }
  if (!address || !/^https?:$/.test(address.protocol)) {
    explain(Object.assign(new Error("an address begins with https://"), { name: "SourceError" }), text);
    return;
  }
  open({ address: address.href }, name ?? readName(address));
}

/** Last part of an address, to show. @param {URL} address @returns {string} */
function readName(address) {
  const last = address.pathname.split("/").pop() || address.host;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** @param {FileList | undefined} files */
function openFiles(files) {
  if (files?.length) {
    const [first] = [...files].sort((a, b) => Number(isSiren(b)) - Number(isSiren(a)));
    open({ blob: first }, first.name);
  }
}

/** @param {File} file @returns {boolean} */
const isSiren = (file) => /\.siren$/i.test(file.name);

element("open").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  openAddress(element("address").value.trim());
});
element("file").addEventListener("change", () => {
  openFiles(element("file").files);
  element("file").value = "";
});
element("example").addEventListener("click", () => openAddress(EXAMPLE, "A cat"));
element("close").addEventListener("click", () => {
  close();
  element("file").focus();
});
element("save").addEventListener("click", save);
element("compare").addEventListener("click", () => {
  const isOn = element("compare").getAttribute("aria-pressed") !== "true";
  setPressed("compare", "aria-pressed", isOn);
  stage.compare(isOn);
});
for (const button of document.querySelectorAll("button[data-zoom]")) {
  button.addEventListener("click", () => stage.zoomTo(/** @type {HTMLElement} */ (button).dataset.zoom ?? "fit"));
}

let dragged = 0; // elements that a dragged file has entered and not left
addEventListener("dragenter", (event) => {
  event.preventDefault();
  document.body.classList.toggle("dragging", ++dragged > 0);
});
addEventListener("dragleave", () => document.body.classList.toggle("dragging", --dragged > 0));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  dragged = 0;
  document.body.classList.remove("dragging");
  openFiles(event.dataTransfer?.files);
});

const linked = new URLSearchParams(location.hash.slice(1)).get("file");
if (linked) {
  openAddress(linked);
}
