/** @param {number} bytes @returns {string} such as "23.4 kB" */
export function bytesInWords(bytes) {
  let [size, unit] = [bytes, "bytes"];
  for (const larger of ["kB", "MB", "GB"]) {
    if (size < 1000) {
      break;
    }
    [size, unit] = [size / 1000, larger];
  }
  return `${unit === "bytes" || size >= 100 ? Math.round(size) : size.toFixed(1)} ${unit}`;
}
