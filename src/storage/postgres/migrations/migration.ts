/**
 * One step of the schema. Once released it is never edited; its statements run in order, in one transaction with all
 * steps that are missing.
 */
export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}
