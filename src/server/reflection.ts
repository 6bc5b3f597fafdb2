// Server reflection, v1 and v1alpha: what this server speaks, for clients that have no .proto files at hand.
import { type DescFile, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { ServerReflection as V1 } from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as V1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.js";

/** The two versions differ in nothing but their names. */
interface Request {
  readonly host: string;
  readonly messageRequest:
    | { readonly case: "fileContainingExtension"; readonly value: { readonly containingType: string } }
    | {
        readonly case: "listServices" | "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType";
        readonly value: string;
      }
    | { readonly case: undefined };
}

/** Registers reflection over all that the router has, reflection included. */
export function registerReflection(router: ConnectRouter): ConnectRouter {
  let index: Index | undefined;
  async function* serverReflectionInfo<T extends Request>(requests: AsyncIterable<T>) {
    index ??= createIndex(router);
    for await (const request of requests) {
      const messageResponse = answer(index, request.messageRequest);
      yield { validHost: request.host, originalRequest: request, messageResponse };
    }
  }
  return router.service(V1, { serverReflectionInfo }).service(V1Alpha, { serverReflectionInfo });
}

/** The full names of the services that a router has. */
export function servicesOf(router: ConnectRouter): readonly string[] {
  return [...new Set(router.handlers.map(({ service }) => service.typeName))].sort();
}

interface Index {
  readonly services: readonly string[];
  readonly byName: ReadonlyMap<string, DescFile>;
  readonly bySymbol: ReadonlyMap<string, DescFile>;
}

function createIndex(router: ConnectRouter): Index {
  const byName = new Map<string, DescFile>();
  const bySymbol = new Map<string, DescFile>();
  const addMessage = (message: DescMessage): void => {
    bySymbol.set(message.typeName, message.file);
    for (const nested of message.nestedEnums) bySymbol.set(nested.typeName, message.file);
    for (const nested of message.nestedMessages) addMessage(nested);
  };
  const addFile = (file: DescFile): void => {
    if (byName.has(file.proto.name)) return;
    byName.set(file.proto.name, file);
    for (const { typeName } of file.enums) bySymbol.set(typeName, file);
    for (const message of file.messages) addMessage(message);
    for (const { typeName, methods } of file.services) {
      bySymbol.set(typeName, file);
      for (const { name } of methods) bySymbol.set(`${typeName}.${name}`, file);
    }
    for (const dependency of file.dependencies) addFile(dependency);
  };
  for (const { service } of router.handlers) addFile(service.file);
  return { services: servicesOf(router), byName, bySymbol };
}

function answer(index: Index, asked: Request["messageRequest"]) {
  switch (asked.case) {
    case "listServices":
      return {
        case: "listServicesResponse" as const,
        value: { service: index.services.map((name) => ({ name })) },
      };
    case "fileByFilename":
      return formatFile(index.byName.get(asked.value), `file ${asked.value}`);
    case "fileContainingSymbol":
      return formatFile(index.bySymbol.get(asked.value), `symbol ${asked.value}`);
    case "fileContainingExtension":
      return refuse(Code.NotFound, `${asked.value.containingType} has no extensions`);
    case "allExtensionNumbersOfType":
      if (!index.bySymbol.has(asked.value)) return refuse(Code.NotFound, `there is no type ${asked.value}`);
      return {
        case: "allExtensionNumbersResponse" as const,
        value: { baseTypeName: asked.value, extensionNumber: [] },
      };
    default:
      return refuse(Code.InvalidArgument, "the request asks for nothing");
  }
}

/** The file with all that it imports, itself first. */
function formatFile(file: DescFile | undefined, what: string) {
  if (file === undefined) return refuse(Code.NotFound, `there is no ${what}`);
  const files = new Set<DescFile>();
  const add = (one: DescFile): void => {
    if (files.has(one)) return;
    files.add(one);
    one.dependencies.forEach(add);
  };
  add(file);
  const fileDescriptorProto = [...files].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto } };
}

/** In band: the stream goes on. */
function refuse(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse" as const, value: { errorCode, errorMessage } };
}
