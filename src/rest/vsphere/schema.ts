// What operations take and give, as data: JSON, XML and form parameters are all read and written by these.

/** Text as it is: names, ids, URIs. */
export interface TextType {
  readonly kind: "text";
}

/** A whole number of 64 bits, held exactly up to 2^53-1. */
export interface IntegerType {
  readonly kind: "integer";
}

export interface BooleanType {
  readonly kind: "boolean";
}

/** A moment: `2013-06-06T22:13:05.000Z`; one that is sent without a zone is in UTC. */
export interface InstantType {
  readonly kind: "instant";
}

/** One of a closed list of words. */
export interface EnumType<Word extends string = string> {
  readonly kind: "enum";
  readonly words: readonly Word[];
}

export interface ListType<Element extends Type = Type> {
  readonly kind: "list";
  readonly element: Element;
}

export interface StructType<F extends Fields = Fields> {
  readonly kind: "struct";
  readonly fields: F;
}

/** A field that may be left out; only fields of structures are. */
export interface OptionalType<Present extends PresentType = PresentType> {
  readonly kind: "optional";
  readonly type: Present;
}

export type PresentType = TextType | IntegerType | BooleanType | InstantType | EnumType | ListAny | StructAny;
export type Type = PresentType | OptionalType;
/** What does not name itself, so that the types above may be nested. */
interface ListAny {
  readonly kind: "list";
  readonly element: Type;
}
interface StructAny {
  readonly kind: "struct";
  readonly fields: Fields;
}
export interface Fields {
  readonly [name: string]: Type;
}

type OptionalNames<F extends Fields> = { [N in keyof F]: F[N] extends OptionalType ? N : never }[keyof F];

/** The TypeScript value that a type describes. */
export type ValueOf<T> = T extends TextType
  ? string
  : T extends IntegerType
    ? number
    : T extends BooleanType
      ? boolean
      : T extends InstantType
        ? Date
        : T extends { readonly kind: "enum"; readonly words: readonly (infer Word)[] }
          ? Word
          : T extends { readonly kind: "list"; readonly element: infer Element }
            ? readonly ValueOf<Element>[]
            : T extends { readonly kind: "struct"; readonly fields: infer F extends Fields }
              ? StructValue<F>
              : T extends { readonly kind: "optional"; readonly type: infer Present }
                ? ValueOf<Present> | undefined
                : never;

export type StructValue<F extends Fields> = {
  readonly [N in Exclude<keyof F, OptionalNames<F>>]: ValueOf<F[N]>;
} & {
  readonly [N in OptionalNames<F>]?: ValueOf<F[N]>;
};

export const text: TextType = { kind: "text" };
export const integer: IntegerType = { kind: "integer" };
export const boolean: BooleanType = { kind: "boolean" };
export const instant: InstantType = { kind: "instant" };

export function oneOf<const Word extends string>(...words: readonly Word[]): EnumType<Word> {
  return { kind: "enum", words };
}

export function list<const Element extends Type>(element: Element): ListType<Element> {
  return { kind: "list", element };
}

export function struct<const F extends Fields>(fields: F): StructType<F> {
  return { kind: "struct", fields };
}

export function optional<const Present extends PresentType>(type: Present): OptionalType<Present> {
  return { kind: "optional", type };
}
