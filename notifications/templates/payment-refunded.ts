import type { Template } from './content.ts';

export const paymentRefunded: Template = {
  en: (data, show) => ({
    subject: 'Money of a payment was given back',
    paragraphs: ['We have refunded a payment to your account.'],
    details: [
      ['Payment', show.text(data.payment_id)],
      ['Refunded in all', show.amount(data.refunded_minor, data.currency)],
      ['Of', show.amount(data.amount_minor, data.currency)],
    ],
  }),
  de: (data, show) => ({
    subject: 'Rückzahlung zu einer Zahlung',
    paragraphs: ['Wir haben eine Zahlung auf Ihr Konto erstattet.'],
    details: [
      ['Zahlung', show.text(data.payment_id)],
      ['Insgesamt erstattet', show.amount(data.refunded_minor, data.currency)],
      ['Von', show.amount(data.amount_minor, data.currency)],
    ],
  }),
};
