import type { Template } from './content.ts';

export const orderPaid: Template = {
  en: (data, show) => ({
    subject: `Order ${show.text(data.order_id)} is paid`,
    paragraphs: ['We have received your payment. Thank you.'],
    details: [
      ['Order', show.text(data.order_id)],
      ['Amount', show.amount(data.amount_minor, data.currency)],
    ],
  }),
  de: (data, show) => ({
    subject: `Bestellung ${show.text(data.order_id)} ist bezahlt`,
    paragraphs: ['Wir haben Ihre Zahlung erhalten. Vielen Dank.'],
    details: [
      ['Bestellung', show.text(data.order_id)],
      ['Betrag', show.amount(data.amount_minor, data.currency)],
    ],
  }),
};
