/** What the commands of `lab payments` take from the command line. */
export interface PaymentsFlags {
  run?: string;
  day?: string;
  all?: boolean;
  json?: boolean;
}
