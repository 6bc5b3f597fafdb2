/** Stands for whoever is nobody, or is not known yet: no user has this id, and no tenant. */
export const nobodysId = "00000000-0000-4000-8000-000000000000";
