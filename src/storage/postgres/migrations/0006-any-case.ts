import type { Migration } from "./migration.js";

/**
 * A collation that folds the case of all letters, whatever locale the database was created with (in `C` only those of
 * ASCII have a case). Of what servers offer the first that this one has: its own (from 17 on), the system's, ICU's; the
 * last resort is ASCII only.
 */
export const anyCase: Migration = {
  name: "0006-any-case",
  statements: [
    `do $$
     begin
       create collation any_case (provider = builtin, locale = 'C.UTF-8');
     exception when others then
       begin
         create collation any_case (provider = libc, locale = 'C.UTF-8');
       exception when others then
         begin
           create collation any_case (provider = icu, locale = 'und');
         exception when others then
           create collation any_case from "C";
         end;
       end;
     end $$`,
  ],
};
