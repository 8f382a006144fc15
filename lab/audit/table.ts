import type { AuditResult } from '../../audit/audit.ts';
import { table } from '../output.ts';

/** One row for each invariant, with what breaks it below. */
export function auditTable(result: AuditResult): string {
  const rows = result.invariants.map(({ id, ok, title, checked, violations, note }) => {
    return [ok ? '✓' : violations === 0 ? '?' : '✗', id, title, checked, violations, note ?? ''];
  });
  const broken = result.invariants.flatMap((invariant) =>
    invariant.examples.map((text) => `  ${invariant.id}  ${text}`),
  );
  return [table(['', '', 'invariant', 'checked', 'violations', ''], rows), ...broken].join('\n');
}
