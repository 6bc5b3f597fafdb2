/** The largest message that is taken (bytes): refused by its length, before anything is allocated for it. */
export const maxMessageBytes = 4 * 2 ** 20;
