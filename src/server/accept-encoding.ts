/** Whether a client takes gzip, and likes it no less than bytes as they are (RFC 9110, 12.5.3). */
export function takesGzip(acceptEncoding: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const element of (acceptEncoding ?? "").toLowerCase().split(",")) {
    const [, coding, weight = "1"] =
      /^\s*([^\s;]+)\s*(?:;\s*q\s*=\s*(0(?:\.\d*)?|1(?:\.0*)?)\s*)?$/.exec(element) ?? [];
    if (coding !== undefined) weights.set(coding, Number(weight));
  }
  const gzip = weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0;
  return gzip > 0 && gzip >= (weights.get("identity") ?? 0);
}
