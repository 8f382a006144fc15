import { expect, test } from 'vitest';
import { outcomeOf } from './outcome.ts';

const failure = (fields: object) => Object.assign(new Error('failed'), fields);

test.each([
  ['an unknown user', { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550 }, 'refused'],
  ['a busy mailbox', { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 450 }, 'failed'],
  ['content that is refused', { code: 'EMESSAGE', command: 'DATA', responseCode: 554 }, 'refused'],
  ['content that may be taken later', { code: 'EMESSAGE', command: 'DATA', responseCode: 451 }, 'failed'],
  ['no answer in time', { code: 'ENOANSWER' }, 'failed'],
  ['no connection', { code: 'ESOCKET', command: 'CONN' }, 'outage'],
  ['a server that closes down', { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 421 }, 'outage'],
  ['a login that is refused', { code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535 }, 'outage'],
  ['a sender that is refused', { code: 'EENVELOPE', command: 'MAIL FROM', responseCode: 553 }, 'outage'],
])('%s', (_what, fields, kind) => {
  expect(outcomeOf(failure(fields)).kind).toBe(kind);
});

test('a mail that cannot be rendered is not tried again', () => {
  expect(outcomeOf(new RangeError('no template for x'))).toEqual({ kind: 'refused', reason: 'no template for x' });
});
