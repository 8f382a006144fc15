import { batchBody } from './adyen.ts';
import type { ProviderDocument } from './document.ts';

/** The envelope of https://docs.adyen.com/development-resources/webhooks/webhook-structure around one item. */
function batch(item: Record<string, unknown>) {
  return { live: 'false', notificationItems: [{ NotificationRequestItem: item }] };
}

const authorisation = {
  additionalData: {
    authCode: '052315',
    cardSummary: '1111',
    expiryDate: '03/2030',
    hmacSignature: 'coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0=',
    shopperReference: 'usr_7',
  },
  amount: { currency: 'EUR', value: 4_990 },
  eventCode: 'AUTHORISATION',
  eventDate: '2026-01-31T13:00:00+01:00',
  merchantAccountCode: 'PaymentsLabECOM',
  merchantReference: 'ord_4001',
  operations: ['CANCEL', 'CAPTURE', 'REFUND'],
  paymentMethod: 'visa',
  pspReference: 'QFQTPCQ8HXSKGK82',
  reason: '052315:1111:03/2030',
  success: 'true',
};

/** What Adyen sends about a payment that was authorised before. */
const modification = {
  additionalData: { hmacSignature: authorisation.additionalData.hmacSignature },
  amount: authorisation.amount,
  merchantAccountCode: authorisation.merchantAccountCode,
  merchantReference: authorisation.merchantReference,
  originalReference: authorisation.pspReference,
  paymentMethod: 'visa',
  reason: '',
  success: 'true',
};

export const adyenDocument: ProviderDocument = {
  signature:
    'Each item is signed in its own `additionalData.hmacSignature`: the base64 of the HMAC-SHA256, under the bytes of ' +
    'the hexadecimal secret, of `pspReference:originalReference:merchantAccountCode:merchantReference:value:currency:' +
    'eventCode:success`, where absent fields are empty. No header is needed. An item without it, or a wrong one, is 401. ' +
    'The signatures of the examples belong to no secret.',
  signatureHeaders: {},
  paths: {
    adyen: {
      body: batchBody,
      examples: {
        authorisation: { summary: 'A payment was authorised', value: batch(authorisation) },
        refused: {
          summary: 'A payment was refused',
          value: batch({
            ...authorisation,
            additionalData: modification.additionalData,
            pspReference: 'NC6HT9CRT65ZGN82',
            reason: 'Refused',
            success: 'false',
          }),
        },
        capture: {
          summary: 'It was captured; no shopper is named here',
          value: batch({
            ...modification,
            eventCode: 'CAPTURE',
            eventDate: '2026-01-31T13:10:00+01:00',
            pspReference: 'JDD6LKT8MBLZNN84',
          }),
        },
        refund: {
          summary: 'A part was refunded',
          value: batch({
            ...modification,
            amount: { currency: 'EUR', value: 1_000 },
            eventCode: 'REFUND',
            eventDate: '2026-02-02T09:00:00+01:00',
            pspReference: 'WR2KT8MBLZNN8AA4',
          }),
        },
        chargeback: {
          summary: 'A chargeback',
          value: batch({
            ...modification,
            additionalData: {
              ...modification.additionalData,
              chargebackReasonCode: '10.4',
              chargebackSchemeCode: 'visa',
              defensePeriodEndsAt: '2026-02-24T23:59:59+01:00',
              disputeStatus: 'Undefended',
            },
            eventCode: 'CHARGEBACK',
            eventDate: '2026-02-10T10:30:00+01:00',
            pspReference: 'ZLXQTPCQ8HXSKG82',
            reason: 'Other Fraud-Card Absent Environment',
          }),
        },
        report: {
          summary: 'A report: it moves nothing, and is stored',
          value: batch({
            additionalData: modification.additionalData,
            amount: { currency: 'EUR', value: 0 },
            eventCode: 'REPORT_AVAILABLE',
            eventDate: '2026-02-01T04:00:00+01:00',
            merchantAccountCode: authorisation.merchantAccountCode,
            merchantReference: '',
            pspReference: 'SETTLEMENT1',
            reason: 'https://example.com/reports/settlement_detail_report_batch_1.csv',
            success: 'true',
          }),
        },
      },
    },
  },
};
