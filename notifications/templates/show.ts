import { currencyExponent } from '../../kernel/currency.ts';
import type { Language } from '../notification.ts';

/** How values are written in a language. What is unknown is a dash. */
export interface Show {
  amount(minor: string | number | null | undefined, currency: string | number | null | undefined): string;
  time(rfc3339: string | number | null | undefined): string;
  text(value: string | number | null | undefined): string;
}

const unknown = '–';

export function showIn(language: Language): Show {
  return {
    amount: (minor, currency) => amountText(language, minor, currency),
    time: (value) => {
      const at = typeof value === 'string' ? new Date(value) : undefined;
      if (!at || Number.isNaN(at.getTime())) return unknown;
      const form = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
      return `${form.format(at)} UTC`;
    },
    text: (value) => (value === null || value === undefined || value === '' ? unknown : String(value)),
  };
}

/** Exact for every amount: the digits stay text on their way to the formatter. */
function amountText(
  language: Language,
  minor: string | number | null | undefined,
  currency: string | number | null | undefined,
): string {
  if (minor === null || minor === undefined || typeof currency !== 'string') return unknown;
  const digits = currencyExponent(currency);
  if (digits === undefined) return `${minor} ${currency}`;
  const sign = String(minor).startsWith('-') ? '-' : '';
  const all = String(minor)
    .replace('-', '')
    .padStart(digits + 1, '0');
  const whole = all.slice(0, all.length - digits);
  const decimal = digits === 0 ? `${sign}${whole}` : `${sign}${whole}.${all.slice(-digits)}`;
  return new Intl.NumberFormat(language, {
    style: 'currency',
    currency,
    currencyDisplay: 'code',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(decimal as Intl.StringNumericLiteral);
}
