import type { ErrorCode } from '../../kernel/http/errors.ts';
import { commandRoute, dataResponse, listResponse, type PathRegistration, readRoute } from '../openapi/describe.ts';
import {
  cancelExamples,
  canceledExample,
  paymentEventExample,
  paymentExample,
  paymentExamples,
  refundExample,
  refundExamples,
  refundedExample,
} from './examples.ts';
import {
  cancelBody,
  listPaymentsQuery,
  payment,
  paymentBody,
  paymentEvent,
  paymentEventsQuery,
  paymentParams,
  paymentWithRefunds,
  refund,
  refundBody,
} from './schemas.ts';

const tags = ['payments'];

const keyRefusals: ErrorCode[] = ['operation_in_progress', 'idempotency_key_reused'];

export const registerPaymentPaths: PathRegistration = (registry) => {
  registerPayment(registry);
  registerChanges(registry);
  registerReads(registry);
};

const registerPayment: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'createPayment',
        path: '/api/v1/payments',
        tags,
        summary: 'Pay through a provider',
        description:
          'The money is reserved when this is answered, and taken or set free when the provider has told the outcome: ' +
          'GET the payment, or wait for its event.',
        body: paymentBody,
        examples: paymentExamples,
        movesMoney: true,
      },
      { 202: dataResponse('payment', payment, 'The payment, pending.', 'money', paymentExample) },
      'account_not_found',
      'account_frozen',
      'account_closed',
      ...keyRefusals,
      'currency_mismatch',
      'insufficient_funds',
      'balance_out_of_range',
    ),
  );
};

const registerChanges: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'refundPayment',
        path: '/api/v1/payments/{id}/refund',
        tags,
        summary: 'Give back a payment, or a part of it',
        description: 'Two equal parts are two refunds, where each has an Idempotency-Key of its own.',
        params: paymentParams,
        body: refundBody,
        examples: refundExamples,
        movesMoney: true,
      },
      { 202: dataResponse('refund', refund, 'The refund, pending.', 'money', refundExample) },
      'not_found',
      'payment_not_refundable',
      'account_closed',
      ...keyRefusals,
      'refund_exceeds_payment',
    ),
  );
  registry.registerPath(
    commandRoute(
      {
        operationId: 'cancelPayment',
        path: '/api/v1/payments/{id}/cancel',
        tags,
        summary: 'Cancel a payment of which the provider knows nothing yet',
        params: paymentParams,
        body: cancelBody,
        bodyRequired: false,
        examples: cancelExamples,
      },
      {
        200: dataResponse('payment', payment, 'The payment; it was canceled now or before.', 'write', canceledExample),
      },
      'not_found',
      'payment_not_cancelable',
    ),
  );
};

const registerReads: PathRegistration = (registry) => {
  registry.registerPath(
    readRoute(
      {
        operationId: 'listPayments',
        path: '/api/v1/payments',
        tags,
        summary: 'Payments, the newest first',
        query: listPaymentsQuery,
      },
      listResponse('payment', payment, 'A page of payments.', paymentExample),
      'invalid_cursor',
    ),
  );
  registry.registerPath(
    readRoute(
      {
        operationId: 'getPayment',
        path: '/api/v1/payments/{id}',
        tags,
        summary: 'One payment with its refunds',
        params: paymentParams,
      },
      dataResponse('payment', paymentWithRefunds, 'The payment.', 'read', refundedExample),
      'not_found',
    ),
  );
  registry.registerPath(
    readRoute(
      {
        operationId: 'listPaymentEvents',
        path: '/api/v1/payments/{id}/events',
        tags,
        summary: 'What happened to a payment, the oldest first',
        params: paymentParams,
        query: paymentEventsQuery,
      },
      listResponse('payment_event', paymentEvent, 'A page of events.', paymentEventExample),
      'invalid_cursor',
      'not_found',
    ),
  );
};
