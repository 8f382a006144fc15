import type { Template } from './content.ts';

export const paymentFailed: Template = {
  en: (data, show) => ({
    subject: `Payment of ${show.amount(data.amount_minor, data.currency)} has failed`,
    paragraphs: ['Your payment was not carried out. What was reserved for it is free again.'],
    details: [
      ['Payment', show.text(data.payment_id)],
      ['Amount', show.amount(data.amount_minor, data.currency)],
    ],
  }),
  de: (data, show) => ({
    subject: `Zahlung über ${show.amount(data.amount_minor, data.currency)} ist gescheitert`,
    paragraphs: ['Ihre Zahlung wurde nicht ausgeführt. Was dafür reserviert war, ist wieder frei.'],
    details: [
      ['Zahlung', show.text(data.payment_id)],
      ['Betrag', show.amount(data.amount_minor, data.currency)],
    ],
  }),
};
