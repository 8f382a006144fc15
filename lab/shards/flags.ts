/** What the commands of `lab shards` take from the command line. */
export interface ShardFlags {
  run?: string;
  dsn?: string;
  json?: boolean;
}
