import { describe, expect, it } from "vitest";
import { hasPty, openPty, openSlipway } from "./pty.js";

const node = (code: string) => [process.execPath, "-e", code];

describe.runIf(hasPty)("a command in a pseudo-terminal", () => {
  it("has a terminal of the size that was asked for, and is told when it changes", async () => {
    const pty = await openPty(
      node(`const say = () => console.log([process.stdout.isTTY, process.stdout.columns, process.stdout.rows].join(" "));
        say(); process.stdout.on("resize", () => { say(); process.exit(); }); setInterval(() => {}, 1000);`),
      { columns: 50, rows: 10 },
    );
    await pty.waitFor("true 50 10");
    pty.resize(133, 40);
    await pty.waitFor("true 133 40");
    expect(await pty.exit).toEqual({ code: 0, signal: undefined });
  });

  it("is interrupted by Ctrl-C, and reads what is typed", async () => {
    const pty = await openPty(["cat"]);
    pty.write("a word\r");
    await pty.waitFor(/a word\r\na word\r\n/);
    pty.write("\x03");
    expect(await pty.exit).toEqual({ code: undefined, signal: "SIGINT" });
    expect(await pty.screen()).toEqual(["a word", "a word", "^C"]);
  });

  it("is seen as it is at the end: redrawn lines once, scrolled ones too, wrapped ones whole", async () => {
    const pty = await openPty(
      node(`for (let i = 0; i < 30; i += 1) process.stdout.write(\`\\r\\x1b[2K\${i} %\`);
        console.log("\\r\\x1b[2K" + "x".repeat(25)); for (let i = 0; i < 10; i += 1) console.log("line", i); process.exit(3)`),
      { columns: 20, rows: 5 },
    );
    expect(await pty.exit).toEqual({ code: 3, signal: undefined });
    const lines = Array.from({ length: 10 }, (_, i) => `line ${i}`);
    expect(await pty.screen()).toEqual(["x".repeat(25), ...lines]);
    expect(await pty.screenRows()).toEqual(["x".repeat(20), "xxxxx", ...lines]);
  });

  it("that ends without the text that is waited for fails the wait, with what came", async () => {
    const pty = await openPty(["echo", "something else"]);
    await expect(pty.waitFor("the text")).rejects.toThrow(
      /no the text before the command ended, but: .*something else/,
    );
  });

  it("can be hung up on and killed", async () => {
    const first = await openPty(["sleep", "60"]);
    await first.close();
    expect(await first.exit).toEqual({ code: undefined, signal: "SIGHUP" });
    const second = await openPty(["sleep", "60"]);
    second.kill("SIGKILL");
    expect(await second.exit).toEqual({ code: undefined, signal: "SIGKILL" });
  });

  it("may be slipway, as it is built", async () => {
    const pty = await openSlipway(["version"]);
    expect((await pty.exit).code).toBe(0);
    expect((await pty.screen())[0]).toMatch(/slipway|\d+\.\d+/);
  });
});
