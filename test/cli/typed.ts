/** Standard input that holds this text. */
export async function* typed(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
