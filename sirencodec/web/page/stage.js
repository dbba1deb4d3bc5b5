// The picture in the viewer: sharper and sharper as it is read, and beside Lanczos.
import { tileSource } from "../src/viewer.js";

const MOST_ZOOM = 16; // screen pixels for a stored one
const PATIENCE_MS = 3000; // for a state of a file to be drawn, before the next one is
const POLL_MS = 30;
const TILE_TIMEOUT_MS = 120_000; // of huge pictures on slow machines
const KEY_ZOOM = 1.25;
const DIVIDER_STEP = 5; // of 100, for a key

/** @type {any} */
const OpenSeadragon = /** @type {any} */ (globalThis).OpenSeadragon;

/**
 * One picture in the viewer, which may be replaced by a sharper state of itself: the old one stays
 * until the new one is drawn.
 */
class Layer {
  /** @param {any} viewer @param {boolean} isLanczos */
  constructor(viewer, isLanczos) {
    this.viewer = viewer;
    this.isLanczos = isLanczos;
    /** @type {any[]} from the oldest */
    this.items = [];
    this.isDrawn = false; // the newest of them, all that is in sight
    this.isGone = false;
    /** @type {any} */
    this.clip = null;
  }

  /** @param {import("../src/remote.js").RemotePicture} picture @param {number} index from the back */
  add(picture, index) {
    this.isDrawn = false;
    this.viewer.addTiledImage({
      tileSource: tileSource(OpenSeadragon, picture, { zoom: MOST_ZOOM, isLanczos: this.isLanczos }),
      index: Math.min(index + this.items.length, this.viewer.world.getItemCount()),
      success: (/** @type {any} */ { item }) => this.added(item),
    });
  }

  /** @param {any} item */
  added(item) {
    if (this.isGone) {
      this.viewer.world.removeItem(item);
      return;
    }
    item.setClip(this.clip);
    this.items.push(item);
    item.addHandler("fully-loaded-change", (/** @type {any} */ event) => {
      if (event.fullyLoaded) {
        const at = this.items.indexOf(item);
        this.isDrawn ||= at === this.items.length - 1;
        this.items.splice(0, Math.max(0, at)).forEach((older) => this.viewer.world.removeItem(older));
      }
    });
  }

  /** @param {any} clip */
  setClip(clip) {
    this.clip = clip;
    this.items.forEach((item) => item.setClip(clip));
  }

  remove() {
    this.isGone = true;
    this.items.forEach((item) => this.viewer.world.removeItem(item));
    this.items = [];
  }
}

export class Stage {
  /** @param {HTMLElement} place @param {HTMLElement} divider @param {HTMLElement} readout */
  constructor(place, divider, readout) {
    this.place = place;
    this.divider = divider;
    this.readout = readout;
    this.share = 0.5; // of the view that Lanczos has, from the left
    /** @type {any} */
    this.viewer = null;
    /** @type {import("../src/remote.js").RemotePicture | null} */
    this.picture = null;
    /** @type {Layer | null} */
    this.own = null;
    /** @type {Layer | null} */
    this.lanczos = null;
    this.listenToDivider();
  }

  /** Show a picture from its first state on. @param {import("../src/remote.js").RemotePicture} picture */
  show(picture) {
    this.clear();
    this.picture = picture;
    let isWaiting = false;
    let shownAt = 0;
    // Once the state before has been drawn, or has had its time.
    const refreshSoon = () => {
      if (this.picture !== picture) {
        return;
      }
      if (this.own && !this.own.isDrawn && performance.now() - shownAt < PATIENCE_MS) {
        setTimeout(refreshSoon, POLL_MS);
        return;
      }
      isWaiting = false;
      shownAt = performance.now();
      this.refresh();
    };
    picture.addEventListener("shown", () => picture.shown?.header.grids.length || refreshSoon());
    picture.addEventListener("finer", () => {
      if (!isWaiting) {
        isWaiting = true;
        setTimeout(refreshSoon);
      }
    });
  }

  refresh() {
    const picture = /** @type {import("../src/remote.js").RemotePicture} */ (this.picture);
    if (!this.viewer) {
      this.begin();
    }
    this.own ??= new Layer(this.viewer, false);
    this.own.add(picture, 0);
    this.lanczos?.add(picture, this.own.items.length + 1);
  }

  /** A viewer for a picture whose size is known. */
  begin() {
    keepStylesOut();
    const viewer = OpenSeadragon({
      element: this.place,
      drawer: "canvas",
      showNavigationControl: false,
      maxZoomPixelRatio: 1,
      visibilityRatio: 0.5,
      preserveImageSizeOnResize: true,
      imageLoaderLimit: 8,
      timeout: TILE_TIMEOUT_MS,
      animationTime: 0.6,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    });
    this.viewer = viewer;
    viewer.addHandler("update-viewport", () => this.follow());
    viewer.addHandler("resize", () => this.allowStoredSize());
    viewer.world.addHandler("add-item", () => this.allowStoredSize());
    viewer.addHandler("canvas-key", (/** @type {any} */ event) => {
      const { key, code } = event.originalEvent;
      // Turning and mirroring would leave the divider behind.
      event.preventDefaultAction ||= ["r", "R", "f", "F"].includes(key);
      // The viewer knows these keys by where they lie on American keyboards.
      if (["+", "-"].includes(key) && !/Equal|Minus|Numpad/.test(code)) {
        viewer.viewport.zoomBy(key === "+" ? KEY_ZOOM : 1 / KEY_ZOOM).applyConstraints();
      }
    });
    viewer.canvas.setAttribute("aria-label", "The picture: arrow keys move it, plus and minus zoom");
  }

  clear() {
    this.compare(false);
    this.viewer?.destroy();
    this.viewer = this.own = this.picture = null;
    this.readout.textContent = "";
  }

  /** @param {string} zoom screen pixels for a stored one, or "fit" */
  zoomTo(zoom) {
    const { viewer } = this;
    if (!viewer?.world.getItemCount()) {
      return;
    }
    if (zoom === "fit") {
      viewer.viewport.goHome();
      return;
    }
    const item = viewer.world.getItemAt(0);
    viewer.viewport.zoomTo(item.imageToViewportZoom(Number(zoom) / MOST_ZOOM / devicePixelRatio)).applyConstraints();
  }

  /** However small the picture is in this window: 1:1 can be had. */
  allowStoredSize() {
    const item = this.viewer?.world.getItemAt(0);
    if (item) {
      const stored = item.imageToViewportZoom(1 / MOST_ZOOM / devicePixelRatio);
      this.viewer.viewport.minZoomLevel = Math.min(this.viewer.viewport.getHomeZoom() / 2, stored);
      this.viewer.viewport.maxZoomLevel = stored * MOST_ZOOM;
    }
  }

  /** @param {boolean} isOn whether Lanczos is shown, left of the divider */
  compare(isOn) {
    this.divider.hidden = !isOn;
    if (!isOn) {
      this.lanczos?.remove();
      this.lanczos = null;
      this.own?.setClip(null);
    } else if (this.picture && this.viewer && this.own) {
      this.lanczos = new Layer(this.viewer, true);
      this.lanczos.add(this.picture, this.own.items.length);
      this.placeDivider(this.share);
    }
  }

  /** @param {number} share of the view left of the divider */
  placeDivider(share) {
    this.share = Math.min(1, Math.max(0, share));
    const percent = Math.round(100 * this.share);
    this.divider.style.left = `${100 * this.share}%`;
    this.divider.setAttribute("aria-valuenow", String(percent));
    this.divider.setAttribute("aria-valuetext", `${percent} % Lanczos`);
    this.follow();
    this.viewer?.forceRedraw();
  }

  /** Zoom is told as screen pixels for a stored one; each side shows its part. */
  follow() {
    const item = this.viewer?.world.getItemAt(0);
    if (!item) {
      return;
    }
    const { viewport } = this.viewer;
    const zoom = item.viewportToImageZoom(viewport.getZoom(true)) * MOST_ZOOM * devicePixelRatio;
    const digits = zoom >= 10 ? 0 : 1;
    this.readout.textContent = zoom >= 0.995 ? `${+zoom.toFixed(digits)} : 1` : `1 : ${+(1 / zoom).toFixed(1)}`;
    if (this.lanczos) {
      const { x: width, y: height } = item.getContentSize();
      const point = new OpenSeadragon.Point(this.share * viewport.getContainerSize().x, 0);
      const left = Math.min(width, Math.max(0, item.viewerElementToImageCoordinates(point).x));
      this.lanczos.setClip(new OpenSeadragon.Rect(0, 0, left, height));
      this.own?.setClip(new OpenSeadragon.Rect(left, 0, width - left, height));
    }
  }

  listenToDivider() {
    const { divider } = this;
    divider.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      divider.focus();
      divider.setPointerCapture(event.pointerId);
    });
    divider.addEventListener("pointermove", (event) => {
      if (divider.hasPointerCapture(event.pointerId)) {
        const { left, width } = this.place.getBoundingClientRect();
        this.placeDivider((event.clientX - left) / width);
      }
    });
    divider.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -4, PageUp: 4, Home: -100, End: 100 };
      const step = steps[/** @type {keyof typeof steps} */ (event.key)];
      if (step) {
        event.preventDefault();
        this.placeDivider(this.share + (step * DIVIDER_STEP) / 100);
      }
    });
  }
}

/**
 * OpenSeadragon would add a style sheet to the page, which the page's policy forbids. It adds none
 * where it finds its mark, which is looked for by name alone: this one has the name, but is no
 * style sheet. The one rule in question is in ours.
 */
function keepStylesOut() {
  if (!document.querySelector("[data-openseadragon-mobile-css]")) {
    const mark = document.createElementNS("http://www.w3.org/1998/Math/MathML", "style");
    mark.setAttribute("data-openseadragon-mobile-css", "true");
    document.head.append(mark);
  }
}
