import { cpus, loadavg, release } from "node:os";
import type { Medium } from "./media.js";

/** One upload to one side. */
export interface Measured {
  readonly seconds: number;
  /** What the server used. */
  readonly cpuSeconds: number;
  readonly clientCpuSeconds: number;
  /** What everything else on the machine used meanwhile. */
  readonly strangerCpuSeconds: number;
}

/** The two sides of one round, one directly after the other. */
export interface Round {
  readonly floor: Measured;
  readonly slipway: Measured;
}

export interface MemoryUse {
  readonly idleBytes: number;
  readonly peakBytes: number;
}

export interface Row {
  readonly face: string;
  readonly medium: string;
  readonly sizeBytes: number;
  readonly rounds: readonly Round[];
  readonly memory: { readonly floor: MemoryUse; readonly slipway: MemoryUse };
}

const mib = 2 ** 20;
const goalRatio = 0.9;
const faceNames: Readonly<Record<string, string>> = {
  connect: "Connect, HTTP/1.1",
  grpc: "gRPC, h2c",
  folio: "REST POST (FOLIO), HTTP/1.1",
  vsphere: "REST PUT (VMware), HTTP/1.1",
};
const sides = ["floor", "slipway"] as const;

export function describeMachine(media: readonly Medium[]): string {
  const cores = cpus();
  const parts = [
    `${cores[0]?.model.trim() ?? "unknown CPU"}, ${cores.length} cores`,
    `node ${process.version}`,
    `${process.platform} ${release()}`,
    ...media.map(({ name, fileSystem }) => `${name} on ${fileSystem}`),
    `load ${loadavg()[0]?.toFixed(1)} before`,
  ];
  return parts.join("; ");
}

export function formatTable(rows: readonly Row[], run: { readonly databaseUrl: string | undefined }): string {
  const head = [
    "face",
    "medium",
    "floor MiB/s",
    "slipway MiB/s",
    "ratio",
    `goal >= ${goalRatio}`,
    "CPU s/GiB floor, slipway",
    "client CPU s/GiB; busy",
    "RSS MiB idle -> peak: floor",
    "slipway",
  ];
  const database =
    run.databaseUrl === undefined ? "embedded, inside its process" : "postgres, whose CPU is not counted";
  return [
    ...alignColumns([head, ...rows.map(formatRow)]),
    "",
    "- median (least-most) of the rounds; the ratio is slipway's speed over the floor's, paired round by round",
    "- timed from the start of the stream to the answered success; opening the session and adding the file are outside, as the floor has neither",
    "- every answer's size and SHA-256 was checked, where the face tells them; each side's warm-up file was read back and compared",
    "- CPU: all threads of the server; busy: the client's CPU over the time with the floor; near 100 % it, not the server, sets the speed",
    `- slipway's database: ${database}; the floor's memory includes the TypeScript loader`,
    formatStrangers(rows),
  ].join("\n");
}

function formatStrangers(rows: readonly Row[]): string {
  const uploads = rows.flatMap(({ rounds }) => rounds.flatMap(({ floor, slipway }) => [floor, slipway]));
  const seconds = uploads.reduce((sum, upload) => sum + upload.seconds, 0) * cpus().length;
  const share = uploads.reduce((sum, upload) => sum + upload.strangerCpuSeconds, 0) / seconds;
  const verdict = share > 0.1 ? ": this run says little, repeat it on a quiet machine" : "";
  return `- other processes took ${(share * 100).toFixed(0)} % of the CPUs during the rounds${verdict}`;
}

function formatRow(row: Row): string[] {
  const speeds = (side: (typeof sides)[number]) => row.rounds.map((round) => row.sizeBytes / mib / round[side].seconds);
  const ratios = row.rounds.map(({ floor, slipway }) => floor.seconds / slipway.seconds);
  const perGiB = row.sizeBytes / 2 ** 30;
  const cpu = (side: (typeof sides)[number]) =>
    median(row.rounds.map((round) => round[side].cpuSeconds / perGiB)).toFixed(2);
  const clientCpu = median(row.rounds.map(({ floor }) => floor.clientCpuSeconds / perGiB)).toFixed(2);
  const busy = median(row.rounds.map(({ floor }) => floor.clientCpuSeconds / floor.seconds)) * 100;
  const memory = ({ idleBytes, peakBytes }: MemoryUse) =>
    `${Math.round(idleBytes / mib)} -> ${Math.round(peakBytes / mib)}`;
  return [
    faceNames[row.face] ?? row.face,
    row.medium,
    spread(speeds("floor"), 0),
    spread(speeds("slipway"), 0),
    spread(ratios, 2),
    median(ratios) >= goalRatio ? "met" : "missed",
    `${cpu("floor")}, ${cpu("slipway")}`,
    `${clientCpu}; ${busy.toFixed(0)} %`,
    memory(row.memory.floor),
    memory(row.memory.slipway),
  ];
}

function spread(values: readonly number[], digits: number): string {
  const show = (value: number) => value.toFixed(digits);
  return `${show(median(values))} (${show(Math.min(...values))}-${show(Math.max(...values))})`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A table of Markdown, the first line its head. */
export function alignColumns(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const format = (line: readonly string[]) =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const [head, ...rest] = lines;
  return [format(head!), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest.map(format)];
}
