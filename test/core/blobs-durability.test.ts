import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { smallContentBytes } from "../../src/core/index.js";
import { inputOf, isStored, put, putAll, readBack, refOf } from "../support/blobs.js";
import { pseudoRandom } from "../support/bodies.js";
import { hookBlobs, hookMetadata, type OpenedUploads, openUploads } from "../support/uploads.js";

let opened: OpenedUploads;
beforeAll(async () => {
  opened = await openUploads();
});
afterAll(() => opened.close());

let seed = 0;
const fresh = (length: number) => pseudoRandom(length, 5000 + seed++);
const times = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));

/** A place that whoever comes waits at until it is opened. */
function gate() {
  let arrive = () => {};
  let open = () => {};
  const opening = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const pass = () => {
    arrive();
    return opening;
  };
  return { pass, reached, open };
}

describe("the answer that a blob is stored", () => {
  it.each([
    ["small", 4096, "putSmall"],
    ["large", smallContentBytes + 1, "sync"],
  ] as const)(
    "comes after the sync of its bytes, if it is %s, and after the commit, in this order (P1)",
    async (_, size, step) => {
      const { alice } = opened;
      const [synced, committed] = [gate(), gate()];
      const order: string[] = [];
      const uploads = opened.restart({
        wrapBlobs: hookBlobs({
          async after(done) {
            if (done !== step) return;
            await synced.pass();
            order.push("synced");
          },
        }),
        wrapMetadata: hookMetadata({
          before: (deed) => deed === "insertBlobs" && order.push("committing"),
          async after(deed) {
            if (deed !== "insertBlobs") return;
            await committed.pass();
            order.push("committed");
          },
        }),
      });
      const content = fresh(size);
      const putting = put(uploads, alice, content).then(() => order.push("answered"));
      await synced.reached;
      expect(order).toEqual([]);
      expect(await isStored(opened.uploads, alice, refOf(content))).toBe(false);
      synced.open();
      await committed.reached;
      expect(order).toEqual(["synced", "committing"]);
      committed.open();
      await putting;
      expect(order).toEqual(["synced", "committing", "committed", "answered"]);
    },
  );

  it("comes for each blob of a stream after its own bytes and row are durable, in order (P1)", async () => {
    const { alice } = opened;
    const durable = new Set<string>();
    const uploads = opened.restart({
      wrapMetadata: hookMetadata({
        after(deed, input) {
          if (deed === "insertBlobs")
            for (const { ref } of input as { ref: { digest: string } }[]) durable.add(ref.digest);
        },
      }),
    });
    const contents = times(200, () => fresh(1000));
    async function* source() {
      for (const content of contents) yield inputOf(content);
    }
    let at = 0;
    for await (const { blob } of uploads.putBlobs({ blobs: source() }, alice)) {
      expect(blob.ref).toEqual(refOf(contents[at++]!));
      expect(durable).toContain(blob.ref.digest);
    }
    expect(at).toBe(200);
  });

  it("is not given when the bytes cannot be stored, and nothing of the blob is there", async () => {
    const { alice } = opened;
    for (const step of ["putSmall", "sync", "write", "createExtent"] as const) {
      const fail = (now: string) => {
        if (now === step) throw new Error("disk full");
      };
      const uploads = opened.restart({ wrapBlobs: hookBlobs({ before: fail }) });
      const content = fresh(step === "putSmall" ? 10 : 2 ** 21);
      await expect(put(uploads, alice, content)).rejects.toThrow("disk full");
      expect(await isStored(uploads, alice, refOf(content))).toBe(false);
    }
  });

  it("is not given when the commit fails; trying again stores it, whether or not it had happened (P4)", async () => {
    const { alice } = opened;
    for (const when of ["before", "after"] as const) {
      let failures = 1;
      const fail = (deed: string) => {
        if (deed === "insertBlobs" && failures-- > 0) throw new Error("connection lost");
      };
      const uploads = opened.restart({ wrapMetadata: hookMetadata({ [when]: fail }) });
      const content = fresh(1000);
      await expect(put(uploads, alice, content)).rejects.toThrow("connection lost");
      expect((await put(uploads, alice, content)).applied).toBe(when === "before");
      expect(await readBack(uploads, alice, refOf(content))).toEqual(content);
    }
  });
});

describe("blobs that are put at the same time", () => {
  it("share few commits and look-ups, and each is answered for itself, whatever its tenant", async () => {
    const { alice, otherTenant } = opened;
    const deeds: string[] = [];
    const uploads = opened.restart({ wrapMetadata: hookMetadata({ before: (deed) => void deeds.push(deed) }) });
    const contents = times(100, () => fresh(1000));
    const answers = await Promise.all(contents.map((content, n) => put(uploads, n % 2 ? otherTenant : alice, content)));
    expect(answers.map(({ blob }) => blob.ref)).toEqual(contents.map((content) => refOf(content)));
    expect(deeds.filter((deed) => deed === "findBlobs").length).toBeLessThan(30);
    expect(deeds.filter((deed) => deed === "insertBlobs").length).toBeLessThan(30);
    for (const [n, content] of contents.entries()) {
      expect(await isStored(uploads, n % 2 ? otherTenant : alice, refOf(content))).toBe(true);
      expect(await isStored(uploads, n % 2 ? alice : otherTenant, refOf(content))).toBe(false);
    }
  });

  it("fail together when their commit does, and nobody else with them", async () => {
    const { alice } = opened;
    const poison = fresh(1000);
    let doomed: string[] = [];
    const uploads = opened.restart({
      wrapMetadata: hookMetadata({
        before(deed, input) {
          if (deed !== "insertBlobs") return;
          const digests = (input as { ref: { digest: string } }[]).map(({ ref }) => ref.digest);
          if (!digests.includes(refOf(poison).digest)) return;
          doomed = digests;
          throw new Error("commit failed");
        },
      }),
    });
    const contents = [...times(20, () => fresh(1000)), poison, ...times(20, () => fresh(1000))];
    const answers = await Promise.allSettled(contents.map((content) => put(uploads, alice, content)));
    const failed = contents.filter((_, n) => answers[n]!.status === "rejected").map((content) => refOf(content).digest);
    expect(failed.sort()).toEqual(doomed.sort());
    for (const [n, content] of contents.entries()) {
      expect(await isStored(uploads, alice, refOf(content))).toBe(answers[n]!.status === "fulfilled");
    }
  });

  it("in one stream share commits too: one connection is not held up by each", async () => {
    const { alice } = opened;
    let commits = 0;
    const count = (deed: string) => {
      if (deed === "insertBlobs") commits++;
    };
    const uploads = opened.restart({ wrapMetadata: hookMetadata({ before: count }) });
    const { stored } = await putAll(
      uploads,
      alice,
      times(200, () => inputOf(fresh(1000))),
    );
    expect(stored).toHaveLength(200);
    expect(commits).toBeLessThan(100);
  });
});
