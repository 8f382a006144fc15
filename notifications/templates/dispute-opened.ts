import type { Template } from './content.ts';

export const disputeOpened: Template = {
  en: (data, show) => ({
    subject: `A payment of order ${show.text(data.order_id)} is disputed`,
    paragraphs: ['The payment was disputed with the bank. We will tell you how it was decided.'],
    details: [
      ['Order', show.text(data.order_id)],
      ['Dispute', show.text(data.dispute_id)],
      ['Amount', show.amount(data.amount_minor, data.currency)],
      ['Reason', show.text(data.reason)],
      ['Evidence until', show.time(data.evidence_due_at)],
    ],
  }),
  de: (data, show) => ({
    subject: `Eine Zahlung der Bestellung ${show.text(data.order_id)} wird angefochten`,
    paragraphs: ['Die Zahlung wurde bei der Bank angefochten. Wir teilen Ihnen mit, wie entschieden wurde.'],
    details: [
      ['Bestellung', show.text(data.order_id)],
      ['Anfechtung', show.text(data.dispute_id)],
      ['Betrag', show.amount(data.amount_minor, data.currency)],
      ['Grund', show.text(data.reason)],
      ['Nachweise bis', show.time(data.evidence_due_at)],
    ],
  }),
};
