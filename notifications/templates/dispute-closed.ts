import type { Template } from './content.ts';

const german: Readonly<Record<string, string>> = {
  won: 'gewonnen',
  lost: 'verloren',
  closed: 'geschlossen',
  canceled: 'zurückgenommen',
};

export const disputeClosed: Template = {
  en: (data, show) => ({
    subject: `The dispute about order ${show.text(data.order_id)} is ${show.text(data.status)}`,
    paragraphs: ['The bank has decided, or the dispute was taken back.'],
    details: [
      ['Order', show.text(data.order_id)],
      ['Dispute', show.text(data.dispute_id)],
      ['Amount', show.amount(data.amount_minor, data.currency)],
      ['Outcome', show.text(data.status)],
    ],
  }),
  de: (data, show) => ({
    subject: `Die Anfechtung zu Bestellung ${show.text(data.order_id)}: ${german[String(data.status)] ?? show.text(data.status)}`,
    paragraphs: ['Die Bank hat entschieden, oder die Anfechtung wurde zurückgenommen.'],
    details: [
      ['Bestellung', show.text(data.order_id)],
      ['Anfechtung', show.text(data.dispute_id)],
      ['Betrag', show.amount(data.amount_minor, data.currency)],
      ['Ergebnis', german[String(data.status)] ?? show.text(data.status)],
    ],
  }),
};
