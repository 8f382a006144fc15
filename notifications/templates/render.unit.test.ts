import { describe, expect, test } from 'vitest';
import { languages } from '../notification.ts';
import { subjects } from '../subjects.ts';
import { renderMail } from './render.ts';
import { showIn } from './show.ts';

const types = [...new Set(subjects.map(({ type }) => type))];
const cases = types.flatMap((type) => languages.map((language) => ({ type, language })));

describe.each(cases)('$type in $language', ({ type, language }) => {
  test('what comes from outside is escaped in HTML, and breaks no line of the text', () => {
    const nasty = '<img src=x onerror=alert(1)>"\'&\r\nBcc: all@example.com';
    const data = {
      order_id: nasty,
      payment_id: nasty,
      transfer_id: nasty,
      dispute_id: nasty,
      reason: nasty,
      status: nasty,
      amount_minor: 5,
      currency: 'EUR',
    };
    const mail = renderMail(type, language, data);
    expect(mail.html).not.toContain('<img');
    expect(mail.html).toContain('&#60;img');
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.text).not.toMatch(/^Bcc:/m);
  });

  test('what is not known is a dash', () => {
    const mail = renderMail(type, language, {});
    expect(mail.text).toContain('–');
    expect(mail.text).not.toMatch(/undefined|null|NaN/);
  });
});

test('text and HTML say the same, in the language of the user', () => {
  const data = { order_id: 'ord_1', amount_minor: 4_990, currency: 'EUR' };
  const german = renderMail('order.paid', 'de', data);
  expect(german.subject).toBe('Bestellung ord_1 ist bezahlt');
  expect(german.text).toMatch(/Betrag:\s+49,90\sEUR/);
  expect(german.html).toMatch(/49,90\sEUR/);
  expect(renderMail('order.paid', 'en', data).text).toMatch(/Amount:\s+EUR\s49\.90/);
});

test.each([
  ['EUR', 5, 'EUR 0.05'],
  ['JPY', 1_234, 'JPY 1,234'],
  ['BHD', '-1', '-BHD 0.001'],
  ['EUR', '9007199254740993', 'EUR 90,071,992,547,409.93'],
])('amounts of %s are exact: %s', (currency, minor, text) => {
  expect(showIn('en').amount(minor, currency).replaceAll(/\s/g, ' ')).toBe(text);
});

test('a type without a template is refused', () => {
  expect(() => renderMail('order.lost', 'en', {})).toThrow('no template for order.lost');
});
