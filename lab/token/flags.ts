import type { Role } from '../../kernel/access/principal.ts';

/** What `lab token` takes from the command line. */
export interface TokenFlags {
  role: Role;
  user?: string;
  /** Seconds. */
  lifetime: number;
  run?: string;
  json?: boolean;
}
