import type { Library } from "../../core/index.js";

/** Whether its content comes from another server, so that nobody here may change it. */
export function isSubscribed({ attributes }: Pick<Library, "attributes">): boolean {
  const { vsphere } = attributes;
  return typeof vsphere === "object" && vsphere !== null && "type" in vsphere && vsphere.type === "SUBSCRIBED";
}
