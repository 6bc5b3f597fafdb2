import type { ImisRow } from "../route-forms.js";

export const stagedRows: readonly ImisRow[] = [];
