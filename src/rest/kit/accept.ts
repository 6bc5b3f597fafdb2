// Which of several media types a client would rather have (RFC 9110, 12.5.1).

interface Range {
  readonly type: string;
  readonly subtype: string;
  readonly quality: number;
}

/**
 * The best of `offers` by the client's `Accept`; of equals the one that is named more exactly, then the first. Without the
 * header, and where nothing of it can be had, the first.
 */
export function preferredType<Offer extends string>(
  accept: string | undefined,
  offers: readonly [Offer, ...Offer[]],
): Offer {
  const ranges = (accept ?? "*/*").split(",", maxRanges).flatMap(parseRange);
  const [first] = offers;
  let best = { offer: first, quality: 0, exactness: 0 };
  for (const offer of offers) {
    const judged = judge(offer, ranges);
    const isBetter =
      judged.quality === best.quality ? judged.exactness > best.exactness : judged.quality > best.quality;
    if (judged.quality > 0 && isBetter) best = { offer, ...judged };
  }
  return best.offer;
}

const maxRanges = 100;

/** The most exact range tells the quality of a type. */
function judge(offer: string, ranges: readonly Range[]): { readonly quality: number; readonly exactness: number } {
  const [type, subtype] = offer.split("/");
  let judged = { quality: 0, exactness: 0 };
  for (const range of ranges) {
    const fits = (range.type === "*" || range.type === type) && (range.subtype === "*" || range.subtype === subtype);
    const exactness = 1 + Number(range.type !== "*") + Number(range.subtype !== "*");
    if (fits && exactness > judged.exactness) judged = { quality: range.quality, exactness };
  }
  return judged;
}

/** What is no range counts for nothing. */
function parseRange(text: string): readonly Range[] {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const [, type, subtype] = /^([^\s/]+)\/([^\s/]+)$/.exec(range) ?? [];
  if (type === undefined || subtype === undefined) return [];
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  const quality = weight === undefined ? 1 : /^(?:[01](?:\.\d{0,3})?|\.\d{1,3})$/.test(weight) ? Number(weight) : 0;
  return [{ type, subtype, quality: Math.min(quality, 1) }];
}
