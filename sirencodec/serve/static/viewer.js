// A picture's page: OpenSeadragon, fed with tiles of every size that the server computes.
"use strict";

(() => {
  const place = document.getElementById("viewer");
  const image = place.dataset.image;
  const width = Number(place.dataset.width);
  const height = Number(place.dataset.height);
  const tile = Number(place.dataset.tile);
  const largestZoom = Number(place.dataset.zoom);
  const format = place.dataset.format;

  // OpenSeadragon sees a picture of largestZoom times the stored size. Each level halves it, down
  // to one tile; the level of scale 1 is what is stored, those above are computed by the function.
  const maxLevel = Math.ceil(Math.log2((Math.max(width, height) * largestZoom) / tile));
  const levels = Math.max(maxLevel, Math.log2(largestZoom));

  function tileAddress(level, column, row) {
    const scale = largestZoom / 2 ** (levels - level);
    const stored = tile / scale; // stored pixels that a tile covers
    const left = Math.floor(column * stored);
    const top = Math.floor(row * stored);
    const across = Math.min(Math.ceil(stored), width - left);
    const down = Math.min(Math.ceil(stored), height - top);
    const sides = [across, down].map((side) => Math.max(1, Math.ceil(side * scale)));
    const size = `${scale > 1 ? "^" : ""}${sides.join(",")}`;
    return `${image}/${left},${top},${across},${down}/${size}/0/default.${format}`;
  }

  // OpenSeadragon would add a style sheet to the page, which the page's policy forbids. It adds
  // none where it finds its mark, which is looked for by name alone: this one has the name, but is
  // no style sheet. The one rule in question is in ours.
  const mark = document.createElementNS("http://www.w3.org/1998/Math/MathML", "style");
  mark.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(mark);

  const viewer = OpenSeadragon({
    element: place,
    drawer: "canvas",
    showNavigationControl: false,
    showNavigator: true,
    navigatorPosition: "BOTTOM_RIGHT",
    maxZoomPixelRatio: 1,
    visibilityRatio: 0.5,
    imageLoaderLimit: 4,
    animationTime: 0.6,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    tileSources: {
      width: width * largestZoom,
      height: height * largestZoom,
      tileSize: tile,
      minLevel: 0,
      maxLevel: levels,
      getTileUrl: tileAddress,
    },
  });

  // Zoom is told as screen pixels for a stored one. The address keeps it, and the place.
  const readout = document.getElementById("zoom");
  const screenZoom = () => viewer.viewport.viewportToImageZoom(viewer.viewport.getZoom()) * largestZoom;

  function zoomTo(zoom, immediately) {
    const ofView = viewer.viewport.imageToViewportZoom(zoom / largestZoom);
    viewer.viewport.zoomTo(ofView, null, immediately).applyConstraints(immediately);
  }

  // However small the picture is in this window, or the window for the picture: 1:1 can be had.
  function allowStoredSize() {
    const stored = viewer.viewport.imageToViewportZoom(1 / largestZoom);
    viewer.viewport.minZoomLevel = Math.min(viewer.viewport.getHomeZoom() / 2, stored);
  }

  function goToAddress() {
    allowStoredSize();
    const wanted = new URLSearchParams(location.hash.slice(1));
    const [zoom, x, y] = ["zoom", "x", "y"].map((key) => parseFloat(wanted.get(key)));
    if (zoom > 0) {
      zoomTo(zoom, true);
    }
    if (x >= 0 && y >= 0) {
      const point = new OpenSeadragon.Point(x * largestZoom, y * largestZoom);
      viewer.viewport.panTo(viewer.viewport.imageToViewportCoordinates(point), true);
    }
  }

  function showZoom() {
    const zoom = screenZoom();
    const digits = zoom >= 10 ? 0 : zoom >= 1 ? 1 : 2;
    readout.textContent = zoom >= 1 ? `${+zoom.toFixed(digits)} : 1` : `1 : ${+(1 / zoom).toFixed(1)}`;
  }

  function keepAddress() {
    const centre = viewer.viewport.viewportToImageCoordinates(viewer.viewport.getCenter());
    const [x, y] = [centre.x, centre.y].map((place) => Math.round(place / largestZoom));
    const zoom = +screenZoom().toPrecision(3);
    history.replaceState(null, "", `#zoom=${zoom}&x=${x}&y=${y}`);
  }

  viewer.addHandler("open", goToAddress);
  viewer.addHandler("resize", allowStoredSize);
  viewer.addHandler("update-viewport", showZoom);
  viewer.addHandler("animation-finish", keepAddress);
  for (const button of document.querySelectorAll("button[data-zoom]")) {
    button.addEventListener("click", () => {
      if (button.dataset.zoom === "fit") {
        viewer.viewport.goHome();
      } else {
        zoomTo(Number(button.dataset.zoom), false);
      }
    });
  }
})();
