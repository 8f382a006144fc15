/** Of `lab restart`, `lab stop` and `lab rebuild`. */
export interface PartFlags {
  run?: string;
  json?: boolean;
}

/** Of `lab promote`. */
export interface PromoteFlags extends PartFlags {
  rebuild?: boolean;
}
