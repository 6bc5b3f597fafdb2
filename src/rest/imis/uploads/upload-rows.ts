import type { ImisRow } from "../route-forms.js";

export const uploadRows: readonly ImisRow[] = [];
