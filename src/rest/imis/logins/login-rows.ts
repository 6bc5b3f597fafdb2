import { doneAnswer, type ImisRow, jsonAnswer, operation } from "../route-forms.js";
import { readLogin } from "./login-body.js";

export const loginRows: readonly ImisRow[] = [
  ...operation("POST /archives/{archive}/session/open", {
    admits: "anyone",
    read: readLogin,
    run: ({ logins }) => logins.open,
    write: ({ apiVersion, token }) =>
      jsonAnswer({ api_version: apiVersion, service_name: "Slipway", service_version: 700, token }),
  }),
  ...operation("GET|POST /archives/{archive}/session/close", {
    acts: true,
    read: ({ params }) => params,
    run: ({ logins }) => logins.close,
    write: () => doneAnswer,
  }),
];
