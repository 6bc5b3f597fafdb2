import { CqlError, type CqlPiece, type CqlTerm } from "./query.js";

export interface CqlToken {
  readonly kind: "word" | "string" | "keyword" | "symbol" | "end";
  /** As it was written; a keyword in lower case. */
  readonly text: string;
  /** What a word or a string stands for. */
  readonly term: CqlTerm;
}

const keywords: readonly string[] = ["and", "or", "not", "prox", "sortby"];
const pairs: readonly string[] = ["==", "<>", "<=", ">="];
const blanks = " \t\r\n";
const symbols = "()/<>=";

/** The query's tokens, the last of which is its end. One pass, which never looks back. */
export function readTokens(query: string): readonly CqlToken[] {
  const tokens: CqlToken[] = [];
  let at = 0;
  while (at < query.length) {
    const char = query.charAt(at);
    if (blanks.includes(char)) {
      at++;
    } else if (symbols.includes(char)) {
      const pair = query.slice(at, at + 2);
      const text = pairs.includes(pair) ? pair : char;
      tokens.push({ kind: "symbol", text, term: [] });
      at += text.length;
    } else {
      const { token, end } = char === '"' ? readString(query, at) : readWord(query, at);
      tokens.push(token);
      at = end;
    }
  }
  tokens.push({ kind: "end", text: "", term: [] });
  return tokens;
}

interface Read {
  readonly token: CqlToken;
  readonly end: number;
}

function readString(query: string, start: number): Read {
  const { term, end } = readPieces(query, start + 1, (char) => char === '"');
  if (end === query.length) {
    throw new CqlError("a quoted text has no closing quotation mark", query.slice(start));
  }
  return { token: { kind: "string", text: query.slice(start, end + 1), term }, end: end + 1 };
}

function readWord(query: string, start: number): Read {
  const { term, end } = readPieces(query, start, (char) => blanks.includes(char) || symbols.includes(char));
  const text = query.slice(start, end);
  const keyword = text.toLowerCase();
  return {
    token: keywords.includes(keyword) ? { kind: "keyword", text: keyword, term } : { kind: "word", text, term },
    end,
  };
}

/** Up to where `isEnd` holds or the query ends. What follows a backslash stands for itself. */
function readPieces(
  query: string,
  start: number,
  isEnd: (char: string) => boolean,
): { readonly term: CqlTerm; readonly end: number } {
  const pieces: CqlPiece[] = [];
  let text = "";
  let at = start;
  const endText = () => {
    if (text !== "") pieces.push(text);
    text = "";
  };
  for (; at < query.length && !isEnd(query.charAt(at)); at++) {
    const char = query.charAt(at);
    if (char === "*" || char === "?") {
      endText();
      pieces.push({ any: char === "*" ? "text" : "character" });
    } else if (char === "\\") {
      at++;
      if (at === query.length) throw new CqlError("a backslash has nothing after it", "\\");
      text += query.charAt(at);
    } else if (char === '"') {
      throw new CqlError("a quotation mark inside a word needs a backslash before it", query.slice(start, at + 1));
    } else {
      text += char;
    }
  }
  endText();
  return { term: pieces, end: at };
}
