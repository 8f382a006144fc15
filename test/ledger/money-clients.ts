import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { expect } from 'vitest';
import { operatorToken } from '../../runtime/access-token.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { createRandom } from '../../simulator/workload/random.ts';

interface Asked {
  key: string;
  body: { from_account_id: string; to_account_id: string; amount_minor: number; currency: 'EUR' };
}

interface Answered extends Asked {
  status: number;
  /** What the API said, without the id of the request. */
  said: unknown;
}

export interface MoneyClients {
  readonly answered: readonly Answered[];
  /** Every client sends its share, and repeats what gets no answer. */
  run(): Promise<void>;
  /** Each request once more: the same answers, and balances that a model of the answers says. */
  check(client: Client): Promise<void>;
}

export interface MoneyClientsOptions {
  system: Pick<SystemDescription, 'urls' | 'secrets'>;
  seed: number;
  accounts: number;
  clients: number;
  /** Requests of each client. */
  each: number;
}

const fundsMinor = 2_000;

/**
 * Clients of few accounts with little money, so that they wait for each other and some are refused. Each knows no more
 * than its answers: a key is repeated until it gets one, whatever happens to the API.
 */
export async function openMoneyClients(options: MoneyClientsOptions): Promise<MoneyClients> {
  const { system, seed, clients, each } = options;
  const token = await operatorToken(system);
  const send = (path: string, key: string, body: object) => post(`${system.urls.api}/api/v1/${path}`, token, key, body);
  const accounts: string[] = [];
  for (let at = 0; at < options.accounts; at += 1) {
    const kind = at % 2 ? 'merchant' : 'wallet';
    const opened = await send('accounts', `open-${at}`, { currency: 'EUR', kind });
    const id = (opened.body.data as { account_id: string }).account_id;
    await send(`accounts/${id}/top-ups`, `fund-${at}`, { amount_minor: fundsMinor, currency: 'EUR' });
    accounts.push(id);
  }
  const answered: Answered[] = [];
  const client = async (number: number): Promise<void> => {
    const random = createRandom(seed, number);
    for (let sent = 0; sent < each; sent += 1) {
      const from = random.below(accounts.length);
      const to = (from + 1 + random.below(accounts.length - 1)) % accounts.length;
      const asked: Asked = {
        key: `${number}-${sent}`,
        body: {
          from_account_id: accounts[from]!,
          to_account_id: accounts[to]!,
          amount_minor: 1 + random.below(700),
          currency: 'EUR',
        },
      };
      answered.push(await untilAnswered(send, asked));
    }
  };
  return {
    answered,
    run: async () => void (await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))),
    check: async (database) => {
      for (const { key, body, status, said } of answered) {
        expect(await untilAnswered(send, { key, body })).toMatchObject({ status, said });
      }
      const made = answered.filter(({ status }) => status === 201);
      const balances = new Map(accounts.map((id) => [id, fundsMinor]));
      for (const { body } of made) {
        balances.set(body.from_account_id, balances.get(body.from_account_id)! - body.amount_minor);
        balances.set(body.to_account_id, balances.get(body.to_account_id)! + body.amount_minor);
      }
      const { rows } = await database.query<{ account_id: string; minor: number }>(
        `select account_id, (balance_minor + (
           select coalesce(sum(amount_minor), 0) from balance_deltas d where d.account_id = a.account_id
         ))::float8 as minor from accounts a where account_id = any ($1)`,
        [accounts],
      );
      expect(new Map(rows.map(({ account_id, minor }) => [account_id, minor]))).toEqual(balances);
      const count = await database.query("select count(*)::int as made from transfers where kind = 'transfer'");
      expect(count.rows).toEqual([{ made: made.length }]);
    },
  };
}

/** @throws Error after a minute without an answer. */
async function untilAnswered(
  send: (path: string, key: string, body: object) => ReturnType<typeof post>,
  { key, body }: Asked,
): Promise<Answered> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = await send('transfers', key, body).catch(() => undefined);
    // 409: the transaction of a request whose client got no answer is not over yet. 503: no database at the moment.
    if (answer && answer.status !== 409 && answer.status !== 429 && answer.status < 500) {
      return { key, body, status: answer.status, said: answer.body.data ?? answer.body.error };
    }
    if (performance.now() > deadline) throw new Error(`${key}: no answer within a minute`);
    await delay(20);
  }
}

async function post(url: string, token: string, key: string, body: object) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, body: (await response.json()) as { data: unknown; error: unknown } };
}
