import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { invalid, UploadError } from "../core/index.js";

/** Digests of passwords, made and checked one at a time: each takes a core for a while, and 32 MiB. */
export interface Passwords {
  /** Throws `too_many` (LOGIN_THROTTLED) when too many wait. */
  hash(password: string): Promise<string>;
  /** False without a digest, after the same work. Throws `too_many` (LOGIN_THROTTLED) when too many wait. */
  verify(password: string, digest: string | undefined): Promise<boolean>;
}

const cost = { ln: 15, r: 8, p: 1 };
const saltBytes = 16;
const keyBytes = 32;
const mostWaiting = 16;
const leastCharacters = 8;
const mostBytes = 1024;

export function isPassword(text: string): boolean {
  return text.isWellFormed() && isPossible(text) && [...text].length >= leastCharacters;
}

/** Throws `invalid` (PASSWORD_INVALID), without the password. */
export function parsePassword(text: string): string {
  if (isPassword(text)) return text;
  const length = `at least ${leastCharacters} characters and at most ${mostBytes} bytes`;
  throw invalid("PASSWORD_INVALID", `a password has ${length} of well-formed Unicode without NUL`);
}

export function createPasswords(): Passwords {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    // Beside the one whose turn it is.
    if (waiting > mostWaiting) {
      throw new UploadError("too_many", "too many passwords wait to be checked", { reason: "LOGIN_THROTTLED" });
    }
    waiting++;
    const turn = last.then(work).finally(() => {
      waiting--;
    });
    last = turn.catch(() => undefined);
    return turn;
  }
  // What a user without a password is checked against, so that nobody can tell.
  const nobody = format(cost, randomBytes(saltBytes), randomBytes(keyBytes));
  return {
    hash: (password) =>
      inTurn(async () => {
        const salt = randomBytes(saltBytes);
        return format(cost, salt, await derive(password, salt, keyBytes, cost));
      }),
    verify: (password, digest = nobody) =>
      inTurn(async () => {
        const { salt, key, ...parameters } = parse(digest);
        const possible = isPossible(password);
        const actual = await derive(possible ? password : "", salt, key.length, parameters);
        return timingSafeEqual(actual, key) && possible && digest !== nobody;
      }),
  };
}

type Cost = typeof cost;

/** A NUL at the end makes no difference to scrypt, and length would cost time: neither gets as far. */
function isPossible(text: string): boolean {
  return text.length <= mostBytes && Buffer.byteLength(text) <= mostBytes && !text.includes("\0");
}

/** Letters that can be written in two ways are the same in both. */
function derive(password: string, salt: Buffer, length: number, { ln, r, p }: Cost): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 2 * 128 * 2 ** ln * r };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize("NFC"), salt, length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** `$scrypt$ln=15,r=8,p=1$SALT$KEY`: what was stored stays good when the cost grows. */
function format({ ln, r, p }: Cost, salt: Buffer, key: Buffer): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString("base64url")}$${key.toString("base64url")}`;
}

function parse(digest: string): Cost & { readonly salt: Buffer; readonly key: Buffer } {
  const match = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/.exec(digest);
  if (match === null) throw new TypeError("a stored password is not in a known form");
  const [, ln, r, p, salt = "", key = ""] = match;
  return {
    ln: Number(ln),
    r: Number(r),
    p: Number(p),
    salt: Buffer.from(salt, "base64url"),
    key: Buffer.from(key, "base64url"),
  };
}
