// What the opening of a session says, as far as it counts here.
import type { JsonValue } from "../../../core/index.js";
import type { RoutedRequest } from "../../kit/index.js";
import { ImisError } from "../errors.js";
import type { LoginInput } from "./logins.js";

const mostBytes = 64 * 1024;
/** As long as a label of the core may be. */
const mostLabel = 256;
const mostApiVersion = 1_000_000;

type Members = Readonly<Record<string, JsonValue | undefined>>;

/** Throws `request_invalid`. */
export async function readLogin(request: RoutedRequest<"archive">): Promise<LoginInput> {
  const body = membersOf(await request.json({ mostBytes }), "the body");
  const authentication = membersOf(body.authentication, "authentication");
  if (body.impersonate !== false && !isEmpty(body.impersonate)) {
    throw invalid("impersonate is not served here: nobody acts in the name of somebody else");
  }
  return {
    archive: request.params.archive,
    username: textOf(authentication, "username") ?? missing("authentication.username"),
    password: passwordOf(authentication),
    apiVersion: apiVersionOf(body),
    label: labelOf(body),
    peerAddress: request.wire.peerAddress,
  };
}

/** A directory's password is the user's, too: there is one only. */
function passwordOf(authentication: Members): string {
  const own = textOf(authentication, "password");
  const directory = textOf(authentication, "ldap_password");
  if (own !== undefined && directory !== undefined && own !== directory) {
    throw invalid("authentication.password and authentication.ldap_password differ: give one of them");
  }
  const password = own ?? directory;
  if (password !== undefined) return password;
  if (isEmpty(authentication.kerberos5_service_ticket)) return missing("authentication.password");
  throw invalid("authentication.kerberos5_service_ticket is not served here: log in with authentication.password");
}

function apiVersionOf({ api_version: version }: Members): number | undefined {
  if (isEmpty(version)) return undefined;
  if (Number.isInteger(version) && Number(version) >= 1 && Number(version) <= mostApiVersion) return Number(version);
  throw invalid(`api_version is a whole number from 1 to ${mostApiVersion}`);
}

/** What the login is known by in the list of its user's. */
function labelOf(body: Members): string {
  const names = [textOf(body, "application_name"), textOf(body, "computer_name")];
  const label = names.filter((name) => name !== undefined).join("/");
  return label === "" ? "IMiS login" : label.replaceAll("\0", "").slice(0, mostLabel).toWellFormed();
}

/** Undefined where it is not given. */
function textOf(members: Members, name: string): string | undefined {
  const value = members[name];
  if (isEmpty(value)) return undefined;
  if (typeof value === "string") return value;
  throw invalid(`${name} is not a text`);
}

/** Clients leave out what they have not, or send it empty. */
function isEmpty(value: JsonValue | undefined): value is null | undefined | "" {
  return value === undefined || value === null || value === "";
}

function membersOf(value: JsonValue | undefined, what: string): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  throw value === undefined ? invalid(`${what} is missing`) : invalid(`${what} is not a JSON object`);
}

function missing(name: string): never {
  throw invalid(`${name} is missing`);
}

function invalid(text: string): ImisError {
  return new ImisError("request_invalid", text);
}
