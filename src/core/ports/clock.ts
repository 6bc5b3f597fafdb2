/**
 * Port: this process's time. Only for ages of bytes on the medium; deadlines go by the metadata store's transactions.
 */
export interface Clock {
  now(): Date;
}
