import type { Movement } from './books.ts';

/**
 * What a provider settled on a UTC day, as CSV with a line of names. @param isFalse Leaves the first movement out, has the
 * second one twice, and a third with one minor unit more, as what a reconciliation has to find.
 */
export function settlementFile(movements: readonly Movement[], day: string, isFalse: boolean): string {
  const ofDay = movements.filter(({ created_at }) => created_at.startsWith(day));
  const [missing, double, different, ...others] = ofDay;
  const settled =
    isFalse && missing && double && different
      ? [double, double, { ...different, amount_minor: String(BigInt(different.amount_minor) + 1n) }, ...others]
      : ofDay;
  const lines = settled.map((entry) => {
    const key = entry.type === 'refund' ? entry.refund_key : entry.key;
    return [entry.type, key, entry.reference, entry.amount_minor, entry.currency, entry.created_at].join(',');
  });
  return ['type,key,reference,amount_minor,currency,settled_at', ...lines, ''].join('\n');
}
