/** How a path names a staged object; neither for what can name none. */
export interface StagedId {
  readonly id?: string;
  readonly externalId?: string;
}

const mostCharacters = 255;

export function parseStagedId(text: string): StagedId {
  const [, kind = "I", rest = text] = /^([EI]):(.*)$/s.exec(text) ?? [];
  if (kind === "I") return { id: rest.toLowerCase() };
  return isExternalId(rest) ? { externalId: rest } : {};
}

/** From 1 to 255 characters, none of which is a control character. */
export function isExternalId(text: string): boolean {
  return text !== "" && text.length <= mostCharacters && text.isWellFormed() && !/\p{Cc}/u.test(text);
}
