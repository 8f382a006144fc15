/** Of the commands of `lab partitions` that look at a database. */
export interface TargetFlags {
  run?: string;
  dsn?: string;
  json?: boolean;
}

export interface LockFlags extends TargetFlags {
  maxLockMs: number;
}

export interface ArchiveFlags extends LockFlags {
  directory?: string;
  keep?: boolean;
  olderThan?: number;
  table?: string;
}
