import type { ClientBase, Pool, QueryResult, QueryResultRow } from 'pg';
import type { Committed } from '../../kernel/postgres/transaction.ts';

/** Sends the named statement. What leads to the rows is added to the values by the store. */
export type Send<Name extends string> = <Row extends QueryResultRow>(
  name: Name,
  values: unknown[],
) => Promise<QueryResult<Row>>;

/**
 * The statements of one noun, led to where the rows of a thing lie: the part of a store that differs between one server
 * and shards, and is the same for every noun.
 */
export interface Rows<Name extends string> {
  /**
   * Runs `work` in one transaction on the primary, whose first statement has to lock the thing's row.
   * @throws AppError not_found where it is known already that there is no such thing.
   */
  change<Result>(
    id: string,
    work: (send: Send<Name>, client: ClientBase) => Promise<Result>,
  ): Promise<Committed<Result>>;
  /** One statement on the primary about one thing, outside of a transaction. */
  about(id: string): Promise<Send<Name>>;
  /** Statements on the given connection about a thing of this user, as where a read goes to a replica. */
  at(client: ClientBase | Pool, userId: string): Send<Name>;
  /** Statements on the primary about things of all users. */
  readonly everywhere: Send<Name>;
}
