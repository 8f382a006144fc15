import type { PaymentProviderName } from '../../kernel/contract/status.ts';

/** Money that moved, as one side has it. */
export interface Movement {
  type: 'capture' | 'refund';
  /** The payment's id, or the refund's. */
  key: string;
  reference: string;
  amountMinor: bigint;
  currency: string;
}

export interface Difference {
  provider: PaymentProviderName;
  problem: 'missing_here' | 'missing_there' | 'double' | 'different';
  type: Movement['type'];
  key: string;
  /** Both sides, in words. */
  detail: string;
}

const header = 'type,key,reference,amount_minor,currency,settled_at';

/** @throws Error that names the line which can't be read. */
export function parseSettlement(text: string): Movement[] {
  const [names, ...lines] = text.split('\n');
  if (names !== header) throw new Error(`the settlement file must begin with ${header}`);
  return lines.filter(Boolean).map((line, index) => {
    const [type, key, reference, amount = '', currency = ''] = line.split(',');
    const isKnown = type === 'capture' || type === 'refund';
    if (!isKnown || !key || !reference || !/^[0-9]{1,19}$/.test(amount) || !/^[A-Z]{3}$/.test(currency)) {
      throw new Error(`line ${index + 2} of the settlement file can't be read`);
    }
    return { type, key, reference, amountMinor: BigInt(amount), currency };
  });
}

export interface Compared {
  /** What the provider settled on the day, and on the day before, of which ours may be a moment later. */
  theirs: readonly Movement[];
  theirsBefore: readonly Movement[];
  /** Ours of the day. */
  ours: readonly Movement[];
  /** Ours from the day before until now: the provider was always first. */
  known: readonly Movement[];
}

/** What the two sides do not agree on, in the order of the provider's file, then of ours. */
export function reconcile(
  provider: PaymentProviderName,
  { theirs, theirsBefore, ours, known }: Compared,
): Difference[] {
  const differences: Difference[] = [];
  const add = (problem: Difference['problem'], { type, key }: Movement, detail: string): void => {
    differences.push({ provider, problem, type, key, detail });
  };
  const byKey = new Map(known.map((movement) => [nameOf(movement), movement]));
  const seen = new Set(theirsBefore.map(nameOf));
  for (const movement of theirs) {
    const name = nameOf(movement);
    const own = byKey.get(name);
    if (seen.has(name)) add('double', movement, `${shown(movement)} settled again`);
    else if (!own) add('missing_here', movement, `${shown(movement)} at the provider, nothing here`);
    else if (shown(own) !== shown(movement)) add('different', movement, `${shown(movement)} there, ${shown(own)} here`);
    seen.add(name);
  }
  for (const movement of ours) {
    if (!seen.has(nameOf(movement))) add('missing_there', movement, `${shown(movement)} here, nothing at the provider`);
  }
  return differences;
}

function nameOf({ type, key }: Movement): string {
  return `${type} ${key}`;
}

function shown({ amountMinor, currency, reference }: Movement): string {
  return `${amountMinor} ${currency} as ${reference}`;
}
