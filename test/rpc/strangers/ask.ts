import { create, type DescMethod, type DescMethodStreaming, type DescMethodUnary, toJson } from "@bufbuild/protobuf";
import { readRefusal, type TestClient } from "../../support/client.js";
import { as } from "../scene.js";
import type { Row } from "./row.js";

/** `OK` with all messages, or how the call was refused. */
export interface Outcome {
  readonly line: string;
  readonly said: string;
}

/** Calls any method with this token, or without credentials. */
export async function ask(
  client: TestClient,
  method: DescMethod,
  request: ReturnType<Row["request"]>,
  token?: string,
): Promise<Outcome> {
  try {
    const answers = await call(client, method, request, token === undefined ? {} : as({ token }).headers);
    return { line: "OK", said: JSON.stringify(answers.map((answer) => toJson(method.output, answer))) };
  } catch (error) {
    const { code, reason, ...said } = readRefusal(error);
    return { line: `${code} / ${reason}`, said: JSON.stringify(said) };
  }
}

async function call(
  { transport }: TestClient,
  method: DescMethod,
  request: ReturnType<Row["request"]>,
  headers: Record<string, string>,
) {
  const messages = [request].flat().map((each) => create(method.input, each as never));
  if (method.methodKind === "unary") {
    const { message } = await transport.unary(method as DescMethodUnary, undefined, undefined, headers, messages[0]!);
    return [message];
  }
  async function* stream() {
    yield* messages;
  }
  const answer = await transport.stream(method as DescMethodStreaming, undefined, undefined, headers, stream());
  const answers = [];
  for await (const message of answer.message) answers.push(message);
  return answers;
}
