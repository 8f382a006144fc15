import type { Template } from './content.ts';

export const orderRefunded: Template = {
  en: (data, show) => ({
    subject: `Money of order ${show.text(data.order_id)} was given back`,
    paragraphs: ['We have refunded a payment. Your bank may take some days until you see it.'],
    details: [
      ['Order', show.text(data.order_id)],
      ['Refunded in all', show.amount(data.refunded_minor, data.currency)],
      ['Of', show.amount(data.amount_minor, data.currency)],
    ],
  }),
  de: (data, show) => ({
    subject: `Rückzahlung zu Bestellung ${show.text(data.order_id)}`,
    paragraphs: ['Wir haben eine Zahlung erstattet. Bis Ihre Bank sie zeigt, können einige Tage vergehen.'],
    details: [
      ['Bestellung', show.text(data.order_id)],
      ['Insgesamt erstattet', show.amount(data.refunded_minor, data.currency)],
      ['Von', show.amount(data.amount_minor, data.currency)],
    ],
  }),
};
