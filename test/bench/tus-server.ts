// @tus/server over its file store, with the settings that it comes with. Words: the folder to write to.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const folder = process.argv[2];
if (folder === undefined) throw new Error("which folder?");

const tus = new Server({ path: "/files", datastore: new FileStore({ directory: folder }) });
const server = createServer((request, response) => {
  tus.handle(request, response).catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
const leave = () => process.exit(0);
process.on("SIGTERM", leave);
process.on("disconnect", leave);
