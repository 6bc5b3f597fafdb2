import { blob } from "./blob.js";
import { download } from "./download.js";
import { item } from "./item.js";
import { library } from "./library.js";
import { ls } from "./ls.js";
import { serve } from "./serve.js";
import { session } from "./session.js";
import type { Command } from "./shell/command.js";
import { upload } from "./upload.js";
import { version } from "./version.js";

/** Everything that `slipway` can do, as its help lists it. */
export const commands: readonly Command[] = [serve, upload, download, ls, session, library, item, blob, version];
