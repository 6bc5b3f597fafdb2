import { doneAnswer, type ImisRow, jsonAnswer, operation } from "../route-forms.js";

export const entityRows: readonly ImisRow[] = [
  ...operation("GET|POST /archives/{archive}/entities/{entity}/open", {
    acts: true,
    read: ({ params, query }) => ({ ...params, mode: query("mode") }),
    run: ({ entities }) => entities.open,
    write: ({ handle }) => jsonAnswer({ handle }),
  }),
  ...operation("GET|POST /archives/{archive}/entities/H:{handle}/close", {
    acts: true,
    read: ({ params }) => params,
    run: ({ entities }) => entities.close,
    write: () => doneAnswer,
  }),
];
