import type { ErrorCode } from '../../kernel/http/errors.ts';
import {
  commandRoute,
  dataResponse,
  listResponse,
  type PathRegistration,
  readRoute,
  removeRoute,
} from '../openapi/describe.ts';
import {
  accountExample,
  balanceExample,
  holdExample,
  moneyExamples,
  openExamples,
  postingExample,
  statusExamples,
  topUpExample,
  transferExample,
  transferExamples,
  withdrawalExample,
} from './examples.ts';
import {
  account,
  accountParams,
  balance,
  balanceQuery,
  hold,
  moneyBody,
  openAccountBody,
  posting,
  postingsQuery,
  statusBody,
  transfer,
  transferBody,
  uuidParams,
} from './schemas.ts';

const accounts = ['accounts'];
const transfers = ['transfers'];

/** What a request that moves or reserves money may be refused with. */
const moneyRefusals: ErrorCode[] = [
  'account_not_found',
  'account_frozen',
  'account_closed',
  'operation_in_progress',
  'idempotency_key_reused',
  'currency_mismatch',
  'insufficient_funds',
  'balance_out_of_range',
];

export const registerLedgerPaths: PathRegistration = (registry) => {
  registerAccounts(registry);
  registerAccountReads(registry);
  registerMoney(registry);
  registerTransfers(registry);
  registerHolds(registry);
};

const registerAccounts: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'openAccount',
        path: '/api/v1/accounts',
        tags: accounts,
        summary: 'Open an account',
        body: openAccountBody,
        examples: openExamples,
      },
      { 201: dataResponse('account', account, 'The new account.', 'write', accountExample) },
      'forbidden',
    ),
  );
  registry.registerPath(
    commandRoute(
      {
        operationId: 'changeAccountStatus',
        operatorsOnly: true,
        path: '/api/v1/accounts/{id}/status',
        tags: accounts,
        summary: 'Freeze, thaw or close an account',
        description: 'A frozen account neither pays nor is paid; closing needs an empty one and is final.',
        params: accountParams,
        body: statusBody,
        examples: statusExamples,
      },
      { 200: dataResponse('account', account, 'The account.', 'write', { ...accountExample, status: 'frozen' }) },
      'account_not_found',
      'account_closed',
      'account_not_empty',
    ),
  );
};

const registerAccountReads: PathRegistration = (registry) => {
  registry.registerPath(
    readRoute(
      {
        operationId: 'getAccount',
        path: '/api/v1/accounts/{id}',
        tags: accounts,
        summary: 'One account',
        params: accountParams,
      },
      dataResponse('account', account, 'The account.', 'read', accountExample),
      'account_not_found',
    ),
  );
  registry.registerPath(
    readRoute(
      {
        operationId: 'getBalance',
        path: '/api/v1/accounts/{id}/balance',
        tags: accounts,
        summary: 'What an account has, or had at a moment of the past',
        params: accountParams,
        query: balanceQuery,
      },
      dataResponse('balance', balance, 'The balance.', 'read', balanceExample),
      'account_not_found',
    ),
  );
  registry.registerPath(
    readRoute(
      {
        operationId: 'listTransactions',
        path: '/api/v1/accounts/{id}/transactions',
        tags: accounts,
        summary: 'Postings of an account, the newest first',
        params: accountParams,
        query: postingsQuery,
      },
      listResponse('posting', posting, 'A page of postings.', postingExample),
      'invalid_cursor',
      'account_not_found',
    ),
  );
};

const registerMoney: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'topUp',
        path: '/api/v1/accounts/{id}/top-ups',
        tags: accounts,
        summary: 'Money into an account, from outside',
        params: accountParams,
        body: moneyBody,
        examples: moneyExamples,
        movesMoney: true,
      },
      { 201: dataResponse('transfer', transfer, 'The transfer.', 'money', topUpExample) },
      ...moneyRefusals,
    ),
  );
  registry.registerPath(
    commandRoute(
      {
        operationId: 'withdraw',
        path: '/api/v1/accounts/{id}/withdrawals',
        tags: accounts,
        summary: 'Money out of an account, to outside',
        params: accountParams,
        body: moneyBody,
        examples: moneyExamples,
        movesMoney: true,
      },
      { 201: dataResponse('transfer', transfer, 'The transfer.', 'money', withdrawalExample) },
      ...moneyRefusals,
    ),
  );
};

const registerTransfers: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'createTransfer',
        path: '/api/v1/transfers',
        tags: transfers,
        summary: 'Money from one account to another',
        description:
          'Committed when it is answered. Between two currencies it needs to_currency and rate, which operators may ' +
          'send, and is posted through a clearing account of each currency.',
        body: transferBody,
        examples: transferExamples,
        movesMoney: true,
      },
      { 201: dataResponse('transfer', transfer, 'The transfer.', 'money', transferExample) },
      'self_transfer',
      'forbidden',
      ...moneyRefusals,
    ),
  );
  registry.registerPath(
    readRoute(
      {
        operationId: 'getTransfer',
        path: '/api/v1/transfers/{id}',
        tags: transfers,
        summary: 'One transfer',
        params: uuidParams,
      },
      dataResponse('transfer', transfer, 'The transfer.', 'read', transferExample),
      'not_found',
    ),
  );
};

const registerHolds: PathRegistration = (registry) => {
  registry.registerPath(
    commandRoute(
      {
        operationId: 'createHold',
        path: '/api/v1/accounts/{id}/holds',
        tags: accounts,
        summary: 'Reserve money of an account',
        params: accountParams,
        body: moneyBody,
        examples: moneyExamples,
        movesMoney: true,
      },
      { 201: dataResponse('hold', hold, 'The hold.', 'money', holdExample) },
      ...moneyRefusals,
    ),
  );
  registry.registerPath(
    readRoute(
      { operationId: 'getHold', path: '/api/v1/holds/{id}', tags: accounts, summary: 'One hold', params: uuidParams },
      dataResponse('hold', hold, 'The hold.', 'read', holdExample),
      'not_found',
    ),
  );
  registry.registerPath(
    removeRoute(
      {
        operationId: 'releaseHold',
        path: '/api/v1/holds/{id}',
        tags: accounts,
        summary: 'Release what is reserved',
        params: uuidParams,
      },
      dataResponse('hold', hold, 'The hold; it was released now or before.', 'write', {
        ...holdExample,
        status: 'released',
      }),
      'not_found',
      'hold_of_payment',
    ),
  );
};
