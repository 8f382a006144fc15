import { createHash } from 'node:crypto';
import { z } from 'zod';

const milliseconds = z.number().int().min(0).max(600_000);
const rate = z.number().min(0).max(1);

/** The knobs of PUT /faults. What is left out is switched off. */
export const faultSettings = z.strictObject({
  /** Every answer waits this long. */
  latency_ms: milliseconds.default(0),
  /** On top of it, a uniform share of this. */
  jitter_ms: milliseconds.default(0),
  /** Share of requests that get a 500; half of them after the request had its effect. */
  error_rate: rate.default(0),
  /** Share of POSTs that have their effect and never get an answer. */
  timeout_after_accept_rate: rate.default(0),
  /** Share of requests whose connection is reset; half of them after the request had its effect. */
  reset_rate: rate.default(0),
  /** Every request waits this long before it is even looked at. */
  hang_ms: milliseconds.default(0),
  /** Share of captures that the provider declines; a property of the key, so that it never changes. */
  decline_rate: rate.default(0),
});
export type FaultSettings = z.infer<typeof faultSettings>;

export type Fault = 'none' | 'error_before' | 'error_after' | 'reset_before' | 'reset_after' | 'silent_after';

/** What happens to one request. */
export interface FaultPlan {
  hangMs: number;
  latencyMs: number;
  fault: Fault;
}

/**
 * Draws faults from the seed, the request's operation and key, and how often that key was seen. The order in which
 * other requests arrive does not matter, so a run can be repeated from its seed.
 */
export function createFaults(seed: number): Faults {
  return faultsOf(seed, faultSettings.parse({}));
}

/** As `createFaults`, for a provider that knows more settings than these. @param initial What is set until `set` is called. */
export function faultsOf<Settings extends FaultSettings>(seed: number, initial: Settings) {
  let settings = initial;
  const seen = new Map<string, number>();

  function plan(operation: string, key: string): FaultPlan {
    const subject = `${operation} ${key}`;
    const attempt = (seen.get(subject) ?? 0) + 1;
    seen.set(subject, attempt);
    const draw = (purpose: string): number => uniform(`${seed}|${subject}|${attempt}|${purpose}`);
    return {
      hangMs: settings.hang_ms,
      latencyMs: settings.latency_ms + Math.round(settings.jitter_ms * draw('jitter')),
      fault: pick(draw('fault'), draw('moment') < 0.5, operation !== 'query'),
    };
  }

  function pick(chance: number, before: boolean, hasEffect: boolean): Fault {
    let left = chance - settings.reset_rate;
    if (left < 0) return before ? 'reset_before' : 'reset_after';
    left -= settings.error_rate;
    if (left < 0) return before ? 'error_before' : 'error_after';
    left -= settings.timeout_after_accept_rate;
    return left < 0 && hasEffect ? 'silent_after' : 'none';
  }

  return {
    plan,
    declines: (key: string): boolean => uniform(`${seed}|decline|${key}`) < settings.decline_rate,
    /** Whether something is so of a key, with this share of all keys; it never changes. */
    isSo: (what: string, key: string, share: number): boolean => uniform(`${seed}|${what}|${key}`) < share,
    get: (): Settings => settings,
    set(next: Settings): void {
      settings = next;
      seen.clear();
    },
  };
}

export type Faults = ReturnType<typeof faultsOf<FaultSettings>>;

/** A number in [0, 1) that depends on `text` only. */
function uniform(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}
