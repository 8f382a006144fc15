/** What `lab convert` takes from the command line. */
export interface ConvertFlags {
  run?: string;
  dsn?: string;
  to?: string;
  resume?: boolean;
  abort?: boolean;
  finish?: boolean;
  batchRows: number;
  duty: number;
  maxLockMs: number;
  measureMs: number;
  compare: boolean;
  json?: boolean;
}
