import type { ImisRow } from "../route-forms.js";

export const loginRows: readonly ImisRow[] = [];
