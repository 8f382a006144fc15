import { findInstalledProgram, type InstalledProgram } from './installed-program.ts';
import { MissingPartError } from './missing-part.ts';

export interface PgbouncerInstallation extends InstalledProgram {
  /** Whether it can keep clients' prepared statements in transaction mode: from 1.21 on. */
  preparedStatements: boolean;
}

/** The installed pgbouncer, or undefined. */
export async function findPgbouncer(): Promise<PgbouncerInstallation | undefined> {
  const found = await findInstalledProgram(['pgbouncer']);
  if (!found) return undefined;
  const [major = 0, minor = 0] = found.version.split('.').map(Number);
  return { ...found, preparedStatements: major > 1 || minor >= 21 };
}

export function missingPgbouncer(): MissingPartError {
  return new MissingPartError('pgbouncer', 'apt install pgbouncer, or brew install pgbouncer');
}
