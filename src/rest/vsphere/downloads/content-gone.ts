import { type VapiError, vapiError } from "../errors.js";

/** The content that a file was prepared with is the file's no more; `now` is what has its name, if anything. */
export function goneFrom(name: string, now: object | undefined): VapiError {
  const shown = name.slice(0, 80);
  const file = `file ${JSON.stringify(shown)}`;
  return now === undefined
    ? vapiError("not_found", "content_removed", `${file} was removed since its download was prepared`, [shown])
    : vapiError("not_found", "content_replaced", `${file} was replaced since its download was prepared`, [shown]);
}
