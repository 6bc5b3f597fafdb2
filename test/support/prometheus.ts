// A real Prometheus that scrapes a server, wherever its programs are found: SLIPWAY_TEST_PROMETHEUS names their folder, or
// they are on the PATH.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";

export interface Prometheus {
  /** The values of an instant query; throws what Prometheus says of one that it does not take. */
  query(expression: string): Promise<readonly number[]>;
  stop(): Promise<void>;
}

/** The path of one of its programs. With CI=true it must be there. */
export function findPrometheus(program: "prometheus" | "promtool"): string | undefined {
  const folders = [process.env.SLIPWAY_TEST_PROMETHEUS ?? "", ...(process.env.PATH ?? "").split(delimiter)];
  const found = folders
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find(existsSync);
  if (found === undefined && process.env.CI === "true")
    throw new Error(`${program} is not on the PATH, and CI needs it`);
  return found;
}

/** What `promtool check metrics` has to say: nothing, when all is well. */
export function checkMetrics(promtool: string, text: string): string {
  const { status, stdout, stderr } = spawnSync(promtool, ["check", "metrics"], { input: text, encoding: "utf8" });
  return status === 0 ? stdout + stderr : `exit code ${status}: ${stdout}${stderr}`;
}

/** The same of `promtool check rules`; empty when all is well. */
export async function checkRules(promtool: string, rules: string): Promise<string> {
  const file = join(await mkdtemp(join(inject("runFolder"), "rules-")), "rules.yml");
  await writeFile(file, rules);
  const { status, stdout, stderr } = spawnSync(promtool, ["check", "rules", file], { encoding: "utf8" });
  return status === 0 ? "" : stdout + stderr;
}

export async function startPrometheus(program: string, target: { readonly port: number }): Promise<Prometheus> {
  const folder = await mkdtemp(join(inject("runFolder"), "prometheus-"));
  const config = `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: slipway
    static_configs: [{ targets: ["127.0.0.1:${target.port}"] }]
`;
  await writeFile(join(folder, "prometheus.yml"), config);
  const port = await findFreePort();
  const flags = [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  // It dies with us: it reads from a pipe that closes then.
  const guard = '"$0" "$@" & pid=$!; read -r _; kill "$pid"; wait "$pid"';
  const child = spawn("sh", ["-c", guard, program, ...flags], { stdio: ["pipe", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const giveUpAt = performance.now() + 40_000; !(await isReady()); await sleep(100)) {
    if (performance.now() > giveUpAt) throw new Error(`Prometheus did not become ready: ${stderr}`);
  }
  return {
    async query(expression) {
      const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const answer = (await response.json()) as {
        status: string;
        error?: string;
        data: { result: { value: [number, string] }[] };
      };
      if (answer.status !== "success") throw new Error(`${expression}: ${answer.error}`);
      return answer.data.result.map(({ value }) => Number(value[1]));
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
