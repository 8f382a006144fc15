import { describe, expect, it } from 'vitest';
import { isRetryable, isStoreUnavailable, isTransient } from './errors.ts';

const withCode = (code: string): Error => Object.assign(new Error('text'), { code });

describe('errors of the store', () => {
  const away = ['08006', '28P01', '28000', '3D000', '57P01', '57P03', '53300', '58030', '25006'];
  it.each([...away, 'ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'ENETUNREACH'])('%s: the store is away', (code) => {
    expect(isStoreUnavailable(withCode(code))).toBe(true);
    expect(isTransient(withCode(code))).toBe(true);
  });

  it('looks into the errors of a connection that tried several addresses', () => {
    expect(isStoreUnavailable(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]))).toBe(true);
  });

  it.each(['40001', '40P01', '55P03'])('%s: worth a retry, and transient when the retries are used up', (code) => {
    expect(isRetryable(withCode(code))).toBe(true);
    expect(isStoreUnavailable(withCode(code))).toBe(false);
    expect(isTransient(withCode(code))).toBe(true);
  });

  it('a statement that ran into its time limit is transient, so that a batch is not split for it', () => {
    expect(isTransient(withCode('57014'))).toBe(true);
    expect(isStoreUnavailable(withCode('57014'))).toBe(false);
  });

  it.each(['22003', '23505', '23514', '42703'])('%s: the request is at fault', (code) => {
    expect(isTransient(withCode(code))).toBe(false);
  });

  it.each([undefined, null, 'text', 42, new Error('anything')])('%s: not the store', (thrown) => {
    expect(isTransient(thrown)).toBe(false);
  });
});
