// What the opening of a session says, as far as it counts here.
import type { RoutedRequest } from "../../kit/index.js";
import { ImisError } from "../errors.js";
import { type JsonMembers, readMembers } from "../json-body.js";
import type { LoginInput } from "./logins.js";

/** As long as a label of the core may be. */
const mostLabel = 256;

/** Throws `request_invalid`. */
export async function readLogin(request: RoutedRequest<"archive">): Promise<LoginInput> {
  const body = await readMembers(request);
  const authentication = body.members("authentication") ?? missing("authentication");
  if ((body.value("impersonate") ?? false) !== false) {
    throw invalid("impersonate is not served here: nobody acts in the name of somebody else");
  }
  return {
    archive: request.params.archive,
    username: authentication.text("username") ?? missing("authentication.username"),
    password: passwordOf(authentication),
    apiVersion: body.count("api_version"),
    label: labelOf(body),
    peerAddress: request.wire.peerAddress,
  };
}

/** A directory's password is the user's, too: there is one only. */
function passwordOf(authentication: JsonMembers): string {
  const own = authentication.text("password");
  const directory = authentication.text("ldap_password");
  if (own !== undefined && directory !== undefined && own !== directory) {
    throw invalid("authentication.password and authentication.ldap_password differ: give one of them");
  }
  const password = own ?? directory;
  if (password !== undefined) return password;
  if (authentication.value("kerberos5_service_ticket") === undefined) return missing("authentication.password");
  throw invalid("authentication.kerberos5_service_ticket is not served here: log in with authentication.password");
}

/** What the login is known by in the list of its user's. */
function labelOf(body: JsonMembers): string {
  const names = [body.text("application_name"), body.text("computer_name")];
  const label = names.filter((name) => name !== undefined).join("/");
  return label === "" ? "IMiS login" : label.replaceAll("\0", "").slice(0, mostLabel).toWellFormed();
}

function missing(name: string): never {
  throw invalid(`${name} is missing`);
}

function invalid(text: string): ImisError {
  return new ImisError("request_invalid", text);
}
