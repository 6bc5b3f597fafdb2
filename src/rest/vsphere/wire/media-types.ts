// What a request is written in, and what its answer is to be written in.
import { preferredType, type WireRequest } from "../../kit/index.js";
import { familyOf } from "./names.js";

export const xmlTypes: readonly string[] = ["application/xml", "text/xml"];

/** In lower case and without parameters; empty for none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? "").split(";", 1)[0]!.trim().toLowerCase();
}

export type AnswerType = "application/json" | "application/xml" | "text/xml";

/** XML for who would rather have that, or says nothing and sends it; since 7 there is JSON alone. */
export function answerTypeFor({ path, headers }: Pick<WireRequest, "path" | "headers">): AnswerType {
  if (familyOf(path) === "api") return "application/json";
  const { accept } = headers;
  if (accept !== undefined)
    return preferredType<AnswerType>(accept, ["application/json", "application/xml", "text/xml"]);
  const sent = mediaTypeOf(headers["content-type"]);
  return xmlTypes.includes(sent) ? (sent as AnswerType) : "application/json";
}
