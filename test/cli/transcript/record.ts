// The session at a terminal that the README shows: a person's shell, the built commands, a real server.
import { createCipheriv } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openPty, type Pty } from "../../support/pty.js";
import type { TestServer } from "../../support/server.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";

const slipway = fileURLToPath(new URL("../../../src/cli/slipway.cjs", import.meta.url));
const mib = 2 ** 20;
const movieBytes = 64 * mib;
/** So slow that somebody at the keyboard could press Ctrl-C in between. */
const bytesPerSecond = 16 * mib;

/** Plays it in a folder and answers what is on the screen in the end, line by line. */
export async function recordTranscript(server: TestServer, folder: string): Promise<string[]> {
  await prepare(folder);
  const line = await startTcpProxy(server.url);
  line.limit(bytesPerSecond);
  const env = {
    HOME: join(folder, "home"),
    PATH: `${join(folder, "bin")}:${process.env.PATH}`,
    SLIPWAY_URL: line.url,
    SLIPWAY_TOKEN: server.token,
  };
  const cwd = join(folder, "work");
  const shell = await openPty(["bash", "--noprofile", "--rcfile", join(folder, "bashrc"), "-i"], {
    env,
    cwd,
    columns: 100,
    rows: 50,
  });
  try {
    await shell.waitFor("$ ");
    shell.write('slipway upload holiday.mov photos --parallel 1 --label "our summer"\r');
    await shell.waitFor(/ [3-6]\d% /);
    shell.write("\x03");
    await shell.waitFor(/\n\$ /);
    line.limit(undefined);
    await type(shell, "slipway upload --resume");
    await type(shell, "slipway ls");
    const session = /session ([-0-9a-f]{36}) is done/.exec(shell.output)?.[1] ?? "no session is done";
    await type(shell, `slipway ls ${session}`);
    await type(shell, `slipway download ${session} --output restored`);
    shell.write("exit\r");
    await shell.exit;
    const lines = await shell.screen();
    return lines.slice(0, lines.lastIndexOf("$ exit"));
  } finally {
    await shell.close();
    await line.close();
  }
}

async function type(shell: Pty, command: string): Promise<void> {
  shell.write(`${command}\r`);
  await shell.waitFor(/\n\$ /);
}

/** Files whose content, and so whose SHA-256, is the same every time. */
async function prepare(folder: string): Promise<void> {
  await mkdir(join(folder, "work", "photos"), { recursive: true });
  await mkdir(join(folder, "home"));
  await mkdir(join(folder, "bin"));
  await symlink(slipway, join(folder, "bin", "slipway"));
  const bytes = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  await writeFile(join(folder, "work", "holiday.mov"), bytes.update(Buffer.alloc(movieBytes)));
  await writeFile(join(folder, "bashrc"), "PS1='$ '\nbind 'set enable-bracketed-paste off'\n");
  for (const [name, size] of [
    ["beach.jpg", 2_345_678],
    ["sunset.jpg", 1_234_567],
  ] as const)
    await writeFile(join(folder, "work", "photos", name), bytes.update(Buffer.alloc(size)));
}

/**
 * What differs from run to run, each with what stands for it. Everything else must be equal, line by line.
 */
const rules: readonly (readonly [what: string, pattern: RegExp, stands: string])[] = [
  [
    "how far the interrupted upload was",
    /^\[#*> *\] +\d+% {2}.* of (\S+ \S+) {2}.*$/,
    "[######>         ]   42%  28.5 MiB of $1  16.1 MiB/s  2.4 s left  0 of 3 files",
  ],
  ["ids", /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"],
  ["what was sent twice", /^re-sent \d+ bytes \([\d.]+ MiB\)$/, "re-sent 0 bytes (0.0 MiB)"],
  ["rates", /[\d.]+ [KMG]?i?B\/s/g, "52.4 MiB/s"],
  ["durations", / in [\d.]+ s /g, " in 1.2 s "],
  ["times", /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "2026-07-01T12:00:00Z"],
];

export function normalise(line: string): string {
  return rules.reduce((text, [, pattern, stands]) => text.replace(pattern, stands), line.trimEnd());
}
