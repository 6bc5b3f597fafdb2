import { answerContent, HttpProblem, type WireRequest, type WireResponse } from "../../kit/index.js";
import { ImisError } from "../errors.js";

/** `answerContent`, whose refusal of a range tells the content's size as this face tells things. */
export async function answerRange(wire: WireRequest, read: Parameters<typeof answerContent>[1]): Promise<WireResponse> {
  let size: number | undefined;
  try {
    return await answerContent(wire, (choose) =>
      read((content) => {
        size = content.sizeBytes;
        return choose(content);
      }),
    );
  } catch (error) {
    if (!(error instanceof HttpProblem) || error.status !== 416) throw error;
    throw new ImisError("range_not_satisfiable", error.message, { size }, { headers: error.headers });
  }
}
