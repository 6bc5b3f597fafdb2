/** What tells clients how to take content that somebody sent: never as a page of this server's. */
export function contentHeaders(file: { readonly name: string; readonly mediaType: string }): Record<string, string> {
  return {
    "content-type": isMediaType(file.mediaType) ? file.mediaType : "application/octet-stream",
    "content-disposition": formatAttachment(file.name),
    "x-content-type-options": "nosniff",
  };
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const parameter = `[ \\t]*;[ \\t]*${token}=(?:${token}|"(?:[^"\\\\\\x00-\\x1f\\x7f-\\uffff]|\\\\[\\t -~])*")`;
const mediaType = new RegExp(`^${token}/${token}(?:${parameter})*$`);

/** What a client declares as a file's media type is free text; only what RFC 9110, 8.3.1 allows may be a header. */
export function isMediaType(text: string): boolean {
  return mediaType.test(text);
}

/** RFC 6266: the name in ASCII for old clients, and in UTF-8 (RFC 8187) where that leaves something out. */
function formatAttachment(name: string): string {
  const plain = name.replaceAll(/[^ -~]|["\\%]/gu, "_");
  const extended = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"${plain === name ? "" : `; filename*=UTF-8''${extended}`}`;
}
