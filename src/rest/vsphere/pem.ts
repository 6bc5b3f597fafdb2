// Certificates as text (RFC 7468).

const begin = "-----BEGIN CERTIFICATE-----";
const end = "-----END CERTIFICATE-----";

/**
 * The DER of the one certificate that the text is; undefined for any other text. Takes a time that grows with the text
 * and not with its square.
 */
export function derFromPem(pem: string): Uint8Array | undefined {
  const text = pem.trim();
  if (!text.startsWith(begin) || !text.endsWith(end)) return undefined;
  const inner = text.slice(begin.length, -end.length);
  const base64 = inner.replaceAll(/\s/g, "");
  const isBase64 = base64.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(base64);
  if (!isBase64 || !/^\s/.test(inner)) return undefined;
  const der = Buffer.from(base64, "base64");
  return isOneSequence(der) ? der : undefined;
}

export function pemFromDer(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Whether it is one structure from its first byte to its last: what was cut or sewn together has no thumbprint. */
function isOneSequence(der: Uint8Array): boolean {
  const [tag, first = 0] = der;
  if (tag !== 0x30) return false;
  if (first < 0x80) return der.length === 2 + first;
  const lengthBytes = first & 0x7f;
  const length = der.slice(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  return der.length === 2 + lengthBytes + length;
}
