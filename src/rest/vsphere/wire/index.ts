/** The API on the wire: from the description of its operations to the rows of the dialect, and errors in its words. */
export { answerError } from "./error-answer.js";
export { apology, lose, refuse } from "./refusals.js";
export { createOperationRows, type OperationRow } from "./rows.js";
