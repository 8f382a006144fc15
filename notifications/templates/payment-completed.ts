import type { Template } from './content.ts';

export const paymentCompleted: Template = {
  en: (data, show) => ({
    subject: `Payment of ${show.amount(data.amount_minor, data.currency)} is completed`,
    paragraphs: ['Your payment was carried out.'],
    details: [
      ['Payment', show.text(data.payment_id)],
      ['Amount', show.amount(data.amount_minor, data.currency)],
    ],
  }),
  de: (data, show) => ({
    subject: `Zahlung über ${show.amount(data.amount_minor, data.currency)} ist ausgeführt`,
    paragraphs: ['Ihre Zahlung wurde ausgeführt.'],
    details: [
      ['Zahlung', show.text(data.payment_id)],
      ['Betrag', show.amount(data.amount_minor, data.currency)],
    ],
  }),
};
