// The dashboard, against what a real server says and, where there is one, a real Prometheus that has scraped it.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useServer } from "../rpc/scene.js";
import { liveBusily } from "../support/metrics.js";
import { checkMetrics, checkRules, findPrometheus, type Prometheus, startPrometheus } from "../support/prometheus.js";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(readFileSync(new URL("../../ops/grafana-dashboard.json", import.meta.url), "utf8")) as {
  readonly schemaVersion: number;
  readonly __inputs: readonly { readonly name: string; readonly type: string; readonly pluginId: string }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition: string }[] };
  readonly panels: readonly Panel[];
};
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const));

/** As Grafana sends it, for all servers, over a short time. */
function fillIn(expression: string): string {
  const filled = expression.replaceAll("$__rate_interval", "15s").replaceAll(/\$(job|instance)\b/g, ".*");
  if (/\$|\[\[/.test(filled)) throw new Error(`${expression} has a variable that the dashboard does not`);
  return filled;
}

const server = useServer(() => ({ env: { SLIPWAY_SWEEP_INTERVAL: "500ms" } }));
const scrape = async () => (await fetch(`${server.get().url}/metrics`)).text();

describe("the dashboard", () => {
  it("can be imported: it asks for a Prometheus, and every panel uses the one that it is given", () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36);
    expect(dashboard.__inputs).toMatchObject([{ name: "DS_PROMETHEUS", type: "datasource", pluginId: "prometheus" }]);
    expect(new Set(panels.map(({ datasource }) => datasource?.uid))).toEqual(new Set(["$" + "{DS_PROMETHEUS}"]));
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(["job", "instance"]);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });

  it("has rows for traffic, latency, sessions, integrity and resources", () => {
    const rows = dashboard.panels.filter(({ type }) => type === "row").map(({ title }) => title);
    expect(rows).toEqual(["Traffic", "Latency", "Sessions", "Integrity", "Resources"]);
  });

  it.each(panels.map((panel) => [panel.title, panel] as const))(
    "the panel %s says what it shows, in which unit, and names its lines",
    (_title, { description, fieldConfig, targets = [] }) => {
      expect(description).toMatch(/\.$/);
      expect(fieldConfig?.defaults.unit).toBeTruthy();
      expect(targets.length).toBeGreaterThan(0);
      for (const { legendFormat } of targets) expect(legendFormat).not.toBe("");
    },
  );

  it("no two panels overlap", () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });

  it("shows every metric of Slipway's own, and asks for none that is not there", async () => {
    const text = await scrape();
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
    const variables = dashboard.templating.list.map(({ definition }) => definition);
    const shown = new Set(
      [...queries.map(([, expr]) => expr), ...variables]
        .flatMap((expr) => expr.match(/\b(?:slipway|process|nodejs)_\w+/g) ?? [])
        .map((name) => (types.has(name) ? name : name.replace(/_(?:bucket|count|sum)$/, ""))),
    );
    expect([...shown].filter((name) => !types.has(name))).toEqual([]);
    const own = [...types.keys()].filter((name) => name.startsWith("slipway_"));
    expect(own.filter((name) => !shown.has(name))).toEqual([]);
    expect(own.length).toBeGreaterThan(20);
  });
});

const promtool = findPrometheus("promtool");

it.skipIf(promtool === undefined)("promtool finds nothing to say against /metrics", async () => {
  await liveBusily(server.get());
  expect(checkMetrics(promtool!, await scrape())).toBe("");
});

it.skipIf(promtool === undefined)("promtool takes the alerts of the README, which ask for what is there", async () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const alerts = /^```yaml\n(groups:.*?)^```$/ms.exec(readme)?.[1] ?? "";
  expect(alerts.match(/alert:/g)).toHaveLength(3);
  expect(await checkRules(promtool!, alerts)).toBe("");
  expect(await checkRules(promtool!, alerts.replace("rate(", "rat("))).not.toBe("");
  const text = await scrape();
  for (const [name] of alerts.matchAll(/slipway_\w+/g)) expect(text).toContain(`# TYPE ${name} `);
});

const program = findPrometheus("prometheus");

describe.skipIf(program === undefined)("a Prometheus that scrapes a busy server", () => {
  let prometheus: Prometheus;
  let busy = true;
  let living: Promise<void>;
  beforeAll(async () => {
    living = (async () => {
      while (busy) {
        await liveBusily(server.get());
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    })();
    living.catch(() => undefined);
    prometheus = await startPrometheus(program!, server.get());
  });
  afterAll(async () => {
    busy = false;
    await living;
    await prometheus?.stop();
  });

  it.each(queries)("has an answer with numbers for the panel %s: %s", async (_title, expression) => {
    const isAnswered = async () => (await prometheus.query(fillIn(expression))).some(Number.isFinite);
    await expect.poll(isAnswered, { timeout: 45_000, interval: 500 }).toBe(true);
  });

  it("refuses an expression that is none", async () => {
    await expect(prometheus.query("sum by (slipway_ready")).rejects.toThrow("parse error");
  });

  it("an expression about what is not there has no answer", async () => {
    expect(await prometheus.query("slipway_no_such_metric")).toEqual([]);
  });
});
