// Lists of an item with very many files: whole, of one version of the item, and at a bounded cost.
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import { growthDuring, mostGrowthMib } from "../../support/memory-growth.js";
import { postgresAvailable } from "../../support/postgres.js";
import { content as root, downloadFiles, downloadSessions, sessionFiles } from "../../support/vsphere.js";
import { useVsphereServer } from "./vsphere-server.js";

describe.runIf(postgresAvailable())("an item of 10,000 files", () => {
  const scene = useVsphereServer({ database: "PostgreSQL" });
  const count = 10_000;
  let itemId: string;
  let session: string;
  beforeAll(async () => {
    const { vsphere } = scene;
    itemId = await scene.item({ "a file of some length of name 0.vmdk": new Uint8Array(1) });
    const database = new pg.Client({ connectionString: scene.databaseUrl });
    await database.connect();
    await database.query(
      `insert into item_files select (jsonb_populate_record(f, jsonb_build_object(
         'name', 'a file of some length of name ' || n || '.vmdk'))).*
       from item_files f, generate_series(1, ${count - 1}) n where f.item_id = '${itemId}'`,
    );
    await database.end();
    session = await vsphere.createSession(itemId);
  });

  const lists: Readonly<Record<string, () => Promise<string>>> = {
    "item/file": async () => `${root}/library/item/file?library_item_id=${itemId}`,
    "item/storage": async () => `${root}/library/item/storage?library_item_id=${itemId}`,
    "updatesession/file": async () => `${sessionFiles}?update_session_id=${session}`,
    "downloadsession/file": async () => {
      const create_spec = { library_item_id: itemId };
      const id = await scene.vsphere.value<string>("POST", downloadSessions, { create_spec });
      return `${downloadFiles}?download_session_id=${id}`;
    },
  };
  it.each(
    Object.keys(lists).flatMap((list) => ["application/json", "application/xml"].map((type) => ({ list, type }))),
  )("has all of them in $list as $type, for at most 96 MiB (P10)", async ({ list, type }) => {
    const path = await lists[list]!();
    const growth = await growthDuring(scene.server.pid, async () => {
      const { status, text } = await scene.vsphere.ask("GET", path, { headers: { accept: type } });
      const names = text.matchAll(/a file of some length of name (\d+)\.vmdk/g);
      expect([status, new Set([...names].map(([, n]) => n)).size]).toEqual([200, count]);
    });
    expect(growth).toBeLessThanOrEqual(mostGrowthMib);
  });

  it("is shown as it was or as it is while it changes, never as some of each (P5)", async () => {
    const { vsphere } = scene;
    await vsphere.act(session, "cancel");
    /** The first and the last of the list, of the same size. */
    async function change(sizeBytes: number): Promise<void> {
      const id = await vsphere.createSession(itemId);
      for (const name of ["0", "z"]) await vsphere.push(id, name, new Uint8Array(sizeBytes));
      await vsphere.act(id, "complete");
    }
    await change(1);
    let changing = true;
    const changes = (async () => {
      for (let size = 2; size < 15; size++) {
        await change(size);
        await sleep(700);
      }
    })().finally(() => {
      changing = false;
    });
    const seen: string[] = [];
    changes.catch(() => undefined);
    while (changing) {
      const files = await vsphere.itemFiles(itemId);
      const sizes = ["0", "z"].map((name) => files.find((file) => file.name === name)?.size);
      seen.push(sizes.join(" and "));
      expect(sizes[0], seen.at(-1)).toBe(sizes[1]);
    }
    await changes;
    expect(new Set(seen).size, "an item that is not seen to change shows nothing").toBeGreaterThan(1);
  }, 120_000);
});
