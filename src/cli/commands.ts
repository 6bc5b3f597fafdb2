import { blob } from "./blob.js";
import { check } from "./check.js";
import { createCompletion } from "./completion.js";
import { download } from "./download.js";
import { item } from "./item.js";
import { library } from "./library.js";
import { login, logout, whoami } from "./login.js";
import { ls } from "./ls.js";
import { serve } from "./serve.js";
import { server } from "./server.js";
import { session } from "./session.js";
import type { Command } from "./shell/command.js";
import { tenant } from "./tenant.js";
import { token } from "./token.js";
import { upload } from "./upload.js";
import { user } from "./user.js";
import { version } from "./version.js";

/** Everything that `slipway` can do, as its help lists it. */
export const commands: readonly Command[] = [
  serve,
  login,
  logout,
  whoami,
  server,
  upload,
  download,
  ls,
  session,
  library,
  item,
  blob,
  tenant,
  user,
  token,
  check,
  createCompletion(() => commands),
  version,
];
