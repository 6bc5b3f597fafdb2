import type { ImisRow } from "../route-forms.js";

export const objectRows: readonly ImisRow[] = [];
