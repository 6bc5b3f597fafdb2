// What the .proto files promise about themselves, read off the generated descriptors, and off the files where it is in
// comments.
import { readdirSync, readFileSync } from "node:fs";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ErrorReason } from "../../gen/slipway/upload/v1/error_pb.js";

const generated = new URL("../../gen/slipway/upload/v1/", import.meta.url);
const defined = new URL("../../proto/slipway/upload/v1/", import.meta.url);
const nameOf = (code: string) => code.replaceAll(/(?<!^)([A-Z])/g, "_$1").toUpperCase();
const codes = new Set(Object.keys(Code).map(nameOf));

async function readServices(): Promise<DescService[]> {
  const files = readdirSync(generated).filter((file) => file.endsWith("_service_pb.ts"));
  const modules = await Promise.all(files.map((file) => import(new URL(file, generated).href)));
  const exported: unknown[] = modules.flatMap((module) => Object.values(module as object));
  return exported.filter((each): each is DescService => (each as { kind?: unknown }).kind === "service");
}

/** The comment right above the first line that matches, without its slashes. */
function commentAbove(file: string, wanted: RegExp): string[] {
  const lines = readFileSync(new URL(file, defined), "utf8").split("\n");
  const at = lines.findIndex((line) => wanted.test(line));
  expect(at, `${wanted} in ${file}`).toBeGreaterThan(0);
  let from = at;
  while (/^ *\/\//.test(lines[from - 1] ?? "")) from--;
  return lines.slice(from, at).map((line) => line.replace(/^ *\/\/ ?/, ""));
}

/** The items of the list that the comment ends with, each in one line. */
function errorItems(comment: readonly string[]): string[] {
  const heading = comment.findLastIndex((line) => /^Errors(?: of every RPC.*)?:$/.test(line));
  expect(heading, `a heading in ${comment.join(" ")}`).toBeGreaterThanOrEqual(0);
  return comment
    .slice(heading + 1)
    .join("\n")
    .replaceAll(/\n {2}(?=\S)/g, " ")
    .split("\n");
}

function assertErrorItems(items: readonly string[]): void {
  for (const item of items) {
    const [, code = "", reason = ""] = /^- ([A-Z_]+) \/ ([A-Z0-9_]+): \S.*\S$/.exec(item) ?? [];
    expect(codes, item).toContain(code);
    expect(Object.keys(ErrorReason), item).toContain(reason);
    const [first = ""] = commentAbove("error.proto", new RegExp(`^ *ERROR_REASON_${reason} = `));
    expect([code, "Any code"], item).toContain(first.split(":")[0]);
  }
}

const services = await readServices();
const fileOf = (service: DescService) => `${service.file.name.split("/").at(-1)}.proto`;
const isRead = ({ name }: DescMethod) => /^(?:Get|List|Stat|Find|Read|Validate|Watch)[A-Z]|^WhoAmI$/.test(name);

it("every file of a service has its service", () => {
  const files = readdirSync(defined).filter((file) => file.endsWith("_service.proto"));
  expect(services.map(fileOf).sort()).toEqual(files.sort());
});

describe.each(services.map((service) => [service.name, service] as const))("%s", (_name, service) => {
  it("says which errors every RPC may have, by codes and reasons that there are", () => {
    assertErrorItems(errorItems(commentAbove(fileOf(service), new RegExp(`^service ${service.name} \\{`))));
  });

  it.each(service.methods.map((method) => [method.name, method] as const))(
    "%s ends its comment with its errors, by codes and reasons that there are",
    (name) => {
      assertErrorItems(errorItems(commentAbove(fileOf(service), new RegExp(`^ {2}rpc ${name}\\(`))));
    },
  );

  it("marks what reads as without side effects, and nothing else", () => {
    const { NO_SIDE_EFFECTS } = MethodOptions_IdempotencyLevel;
    const marked = service.methods.filter(({ idempotency }) => idempotency === NO_SIDE_EFFECTS);
    expect(marked.map(({ name }) => name)).toEqual(service.methods.filter(isRead).map(({ name }) => name));
  });
});
