/** What the commands of `lab quarantine` take from the command line. */
export interface QuarantineFlags {
  run?: string;
  drop?: boolean;
  note?: string;
  json?: boolean;
}
