/** What a decode may find wrong; the kinds are those of the Python package. */
export class SirenError extends Error {
  /**
   * @param {"NotSirenError" | "VersionError" | "TruncatedError" | "CorruptError" | "LimitError" | "ParameterError"} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    this.name = kind;
  }
}
