// Exit code 0 while the server of this container is ready, else 1. Its port and TLS are as the settings say.
const { SLIPWAY_LISTEN = "127.0.0.1:8080", SLIPWAY_TLS_CERT = "" } = process.env;
const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(SLIPWAY_LISTEN) ?? [];
const anyAddress = { "0.0.0.0": "127.0.0.1", "::": "::1" };
const { get } = require(SLIPWAY_TLS_CERT === "" ? "node:http" : "node:https");

// The certificate is for the outside; this only asks whether somebody is there.
const options = { host: anyAddress[host] ?? host, port, path: "/readyz", timeout: 4_000, rejectUnauthorized: false };
get(options, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
  .on("timeout", () => process.exit(1))
  .on("error", () => process.exit(1));
