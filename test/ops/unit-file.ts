/** The values of each key of a section, in order; one that is empty takes back those before it. */
export type UnitSection = ReadonlyMap<string, readonly string[]>;

/** The sections of a systemd unit; throws for a line that is none of its. */
export function parseUnit(text: string): ReadonlyMap<string, UnitSection> {
  const sections = new Map<string, Map<string, string[]>>();
  let section: Map<string, string[]> | undefined;
  for (const line of text.split("\n")) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const name = /^\[(\w+)\]$/.exec(line)?.[1];
    if (name !== undefined) {
      section = new Map();
      sections.set(name, section);
      continue;
    }
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (section === undefined || key === undefined || value === undefined) throw new Error(`not of a unit: ${line}`);
    section.set(key, value === "" ? [] : [...(section.get(key) ?? []), value]);
  }
  return sections;
}
