import type { ImisRow } from "../route-forms.js";

export const entityRows: readonly ImisRow[] = [];
