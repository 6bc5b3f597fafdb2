// What the conversations begin with: the tenant of FOLIO's documents, and its user.
import { Role } from "../../../gen/slipway/upload/v1/access_pb.js";
import { openClient } from "../../support/client.js";
import type { TestServer } from "../../support/server.js";

export const userName = "diku_admin";
export const password = "a good password";

/** Makes the tenant, `diku` unless another is named, and its user, who can log in; answers the id, and credentials for the typed API. */
export async function addDiku(
  server: TestServer,
  of: { readonly tenant?: string; readonly role?: Role } = {},
): Promise<{ readonly userId: string; readonly authorization: string }> {
  const { tenant: tenantName = "diku", role = Role.UPLOADER } = of;
  const client = openClient(server);
  try {
    const { tenant } = await client.access.createTenant({ name: tenantName });
    const { user } = await client.access.createUser({ tenantId: tenant!.id, name: userName, password, role });
    const login = Buffer.from(`${tenantName}/${userName}:${password}`).toString("base64");
    return { userId: user!.id, authorization: `Basic ${login}` };
  } finally {
    client.close();
  }
}
