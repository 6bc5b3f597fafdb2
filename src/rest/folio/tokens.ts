import { errors, jwtVerify, SignJWT } from "jose";

/** `refresh` is only good for getting new ones. */
export const tokenTypes = ["legacy-access", "access", "refresh"] as const;

export type FolioTokenType = (typeof tokenTypes)[number];

/** What a token of this API says. */
export interface FolioClaims {
  readonly type: FolioTokenType;
  readonly tenantName: string;
  readonly user: { readonly id: string; readonly name: string };
  /** The server's own token that it stands for, and without which it is worth nothing. */
  readonly token: string;
  readonly madeAt: Date;
  /** Undefined where only the server's own token says when it ends. */
  readonly endsAt: Date | undefined;
}

/** A token that was made here, and has not ended by what it says. */
export interface OpenedToken {
  readonly type: FolioTokenType;
  readonly token: string;
  /** Undefined where one of the server's own tokens was shown as it is. */
  readonly tenantName: string | undefined;
}

/** JSON Web Tokens, which clients of this API look into, around the server's own tokens, which decide. */
export interface FolioTokens {
  sign(claims: FolioClaims): Promise<string>;
  /** Takes one of the server's own tokens, too. Undefined for whatever was not signed here, and for what has ended. */
  open(text: string, now: Date): Promise<OpenedToken | undefined>;
}

/** By this label the server's own tokens are known that only renew a login, even where one is shown as it is. */
export const renewingLabel = "FOLIO refresh";

const algorithm = "HS256";
const ownPrefix = "slp_";

export function createFolioTokens({ key }: { readonly key: Uint8Array }): FolioTokens {
  return {
    async sign({ type, tenantName, user, token, madeAt, endsAt }) {
      const jwt = new SignJWT({ type, tenant: tenantName, user_id: user.id })
        .setProtectedHeader({ alg: algorithm })
        .setSubject(user.name)
        .setJti(token)
        .setIssuedAt(madeAt);
      if (endsAt !== undefined) jwt.setExpirationTime(endsAt);
      return jwt.sign(key);
    },
    async open(text, now) {
      if (text.startsWith(ownPrefix)) return { type: "access", token: text, tenantName: undefined };
      try {
        const { payload } = await jwtVerify(text, key, { algorithms: [algorithm], currentDate: now });
        const { jti: token, tenant: tenantName } = payload;
        const type = tokenTypes.find((known) => known === payload.type);
        if (type === undefined || typeof token !== "string" || typeof tenantName !== "string") return undefined;
        return { type, token, tenantName };
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}

/** What a token says of itself. */
export interface UnverifiedClaims {
  readonly tenantName?: string;
  readonly userId?: string;
  readonly userName?: string;
}

/**
 * What a token says that nobody has verified, as modules read it behind their gateway: in either base64 alphabet, with
 * any signature or none. Nothing for what is no token.
 */
export function readUnverified(text: string): UnverifiedClaims {
  const [, payload = ""] = text.split(".");
  let claims: unknown;
  try {
    claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  } catch {
    return {};
  }
  if (typeof claims !== "object" || claims === null) return {};
  const { tenant, user_id: userId, sub } = claims as Record<string, unknown>;
  return {
    ...(typeof tenant === "string" && { tenantName: tenant }),
    ...(typeof userId === "string" && { userId }),
    ...(typeof sub === "string" && { userName: sub }),
  };
}
