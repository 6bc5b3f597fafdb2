// What a service and an operation are called in URLs and in XML.
import type { Family } from "../call.js";
import type { Operation } from "../operation.js";

type Named = Pick<Operation, "service" | "name">;

/** `com.vmware.content.local_library` is at `/com/vmware/content/local-library`. */
export function pathOf(service: string): string {
  return `/${service.replaceAll(".", "/").replaceAll("_", "-")}`;
}

/** `keep_alive` is asked for as `keep-alive`. */
export function actionOf(name: string): string {
  return name.replaceAll("_", "-");
}

/** The names that say which operation is meant, and are never a part of what it takes. */
export const reservedNames: Record<Family, readonly string[]> = {
  rest: ["~action", "~method"],
  api: ["~action", "~method", "action"],
};

/** `KeepAlive-Input`, or `-Result`. */
export function rootOf({ name }: Named, kind: "Input" | "Result"): string {
  const words = name.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join("")}-${kind}`;
}

/** `http://vmware.com/content/library/item/update_session`. */
export function namespaceOf({ service }: Named): string {
  return `http://vmware.com/${service.replace(/^com\.vmware\./, "").replaceAll(".", "/")}`;
}

export function familyOf(path: string): Family {
  return path === "/api" || path.startsWith("/api/") ? "api" : "rest";
}
