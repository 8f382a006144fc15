import { findInstalledProgram, type InstalledProgram } from './installed-program.ts';
import { MissingPartError } from './missing-part.ts';

export function findPrometheus(): Promise<InstalledProgram | undefined> {
  return findInstalledProgram(['prometheus']);
}

/** Debian gives it a longer name than its makers. */
export function findPostgresExporter(): Promise<InstalledProgram | undefined> {
  return findInstalledProgram(['postgres_exporter', 'prometheus-postgres-exporter']);
}

export function missingPrometheus(): MissingPartError {
  return new MissingPartError('Prometheus', 'apt install prometheus prometheus-postgres-exporter');
}
