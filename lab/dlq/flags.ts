/** What the commands of `lab dlq` take from the command line. */
export interface DlqFlags {
  run?: string;
  topic?: string;
  reason?: string;
  all?: boolean;
  json?: boolean;
}
