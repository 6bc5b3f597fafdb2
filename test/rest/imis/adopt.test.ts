import { expect, it } from "vitest";
import { pseudoRandom } from "../../support/bodies.js";
import { refusalOf } from "../../support/imis.js";
import { archive, password } from "./face-scene.js";
import { useUploads } from "./upload-scene.js";

const scene = useUploads();
const bytes = pseudoRandom(1_000);

it("a session that goes over to a handle which is closed in that very moment ends with it, and takes nothing", async () => {
  const first = await scene.begin();
  const other = await scene.reopen(first);
  const process = await scene.startProcess((uploads) => ({
    ...uploads,
    async changeAttributes(input, call) {
      // What closes it finds no session that is its own.
      await other.client.closeEntity(other.handle);
      return uploads.changeAttributes(input, call);
    },
  }));
  const client = await scene.client(undefined, { archive, password }, process);
  const refused = await refusalOf(client.putPart(other.handle, first.id, 0, bytes));
  expect(refused).toMatchObject({ status: 410, code: "session_gone", details: { reason: "entity_closed" } });
  const looked = await refusalOf(first.client.session(first.handle, first.id));
  expect(looked).toMatchObject({ status: 410, code: "session_gone", details: { reason: "entity_closed" } });
  const { session } = await scene.opened.uploads.viewSession({ sessionId: first.id }, scene.opened.admin);
  expect(session.state).toBe("canceled");
});

it("a session that is written through another handle of its user is deleted with that one, and not with the first", async () => {
  const first = await scene.begin();
  const other = await scene.reopen(first);
  expect(await other.client.putPart(other.handle, first.id, 0, bytes)).toMatchObject({ offset: 1_000 });
  await first.client.closeEntity(first.handle);
  expect(await other.client.putPart(other.handle, first.id, 1_000, bytes)).toMatchObject({ offset: 2_000 });
  await other.client.closeEntity(other.handle);
  const refused = await refusalOf(other.client.session(other.handle, first.id));
  expect(refused).toMatchObject({ code: "session_gone", details: { reason: "entity_closed" } });
});
