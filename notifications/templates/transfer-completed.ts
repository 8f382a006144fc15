import type { Template } from './content.ts';

export const transferCompleted: Template = {
  en: (data, show) => ({
    subject: `Transfer of ${show.amount(data.amount_minor, data.currency)} is completed`,
    paragraphs: ['Money was transferred from your account.'],
    details: [
      ['Transfer', show.text(data.transfer_id)],
      ['Amount', show.amount(data.amount_minor, data.currency)],
      ['To account', show.text(data.to_account_id)],
    ],
  }),
  de: (data, show) => ({
    subject: `Überweisung von ${show.amount(data.amount_minor, data.currency)} ist ausgeführt`,
    paragraphs: ['Von Ihrem Konto wurde Geld überwiesen.'],
    details: [
      ['Überweisung', show.text(data.transfer_id)],
      ['Betrag', show.amount(data.amount_minor, data.currency)],
      ['An Konto', show.text(data.to_account_id)],
    ],
  }),
};
