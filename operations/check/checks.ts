/** One question to a database. Its statement lies in `sql/<id>.sql`, to be read and to be run by hand too. */
export interface Check {
  id: string;
  title: string;
  /** Which option the statement takes as $1. */
  parameter?: 'inboxes' | 'outboxes' | 'patience';
  /** An extension whose views it reads. */
  extension?: string;
  /** Major versions from which `sql/<id>.<version>.sql` is the statement, the newest first. */
  newer?: readonly number[];
}

/** In the order of what goes wrong first. A check is one line here and one file. */
export const checks: readonly Check[] = [
  { id: 'durability', title: 'what is acknowledged is on disk' },
  { id: 'unlogged', title: 'tables survive a crash' },
  { id: 'inbox_uniqueness', title: 'a repeated delivery has one effect', parameter: 'inboxes' },
  { id: 'outbox', title: 'the outbox is published, and stays small', parameter: 'outboxes' },
  { id: 'outbox_polling', title: 'the outbox is read without gaps', extension: 'pg_stat_statements' },
  { id: 'slots', title: 'replication slots have their consumers' },
  { id: 'replicas', title: 'replicas follow' },
  { id: 'partitions', title: 'partitions are made ahead' },
  { id: 'partition_count', title: 'locks suffice for the partitions' },
  { id: 'indexes', title: 'indexes are whole, and there once' },
  { id: 'foreign_keys', title: 'references have indexes, and were checked' },
  { id: 'transactions', title: 'no transaction is left open', parameter: 'patience' },
  { id: 'vacuum', title: 'dead rows are removed' },
  { id: 'types', title: 'money and times are exact, keys have room' },
  { id: 'append_only', title: 'postings and journals are only added to' },
  { id: 'checkpoints', title: 'checkpoints come by the clock', newer: [17] },
  { id: 'load', title: 'connections are left, and tables are not read in whole' },
];

/** The file of a check's statement on a server of this major version. */
export function statementOf({ id, newer = [] }: Check, version: number): string {
  const own = newer.find((from) => version >= from);
  return own === undefined ? `${id}.sql` : `${id}.${own}.sql`;
}
