import { check } from "./check.js";
import { download } from "./download.js";
import { ls } from "./ls.js";
import { serve } from "./serve.js";
import type { Command } from "./shell/command.js";
import { upload } from "./upload.js";
import { version } from "./version.js";

/** Everything that `slipway` can do, as its help lists it. */
export const commands: readonly Command[] = [serve, upload, download, ls, check, version];
