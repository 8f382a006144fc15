import { afterAll, beforeAll, expect, test } from 'vitest';
import { missingCitus } from '../../runtime/native/missing-citus.ts';
import { type LabHome, openLabHome } from './lab-home.ts';

let home: LabHome;
beforeAll(async () => {
  home = await openLabHome();
});
afterAll(() => home.close());

const noCitus = await missingCitus();
/** No process listens there: it is reserved, and not one that `fetch` refuses to try. */
const nowhere = 'postgresql://127.0.0.1:2/payments';

test.each<[string, number, string]>([
  ['dance', 2, 'unknown command'],
  ['help dance', 2, 'unknown command'],
  ['dance --help', 2, 'unknown command'],
  ['stauts', 2, 'Did you mean status'],
  ['partitions lst', 2, 'Did you mean list'],
  ['up', 2, 'missing required argument'],
  ['up nowhere', 2, 'no topology nowhere'],
  ['up partitionned', 2, 'no topology partitionned. Did you mean partitioned.*Choose from plain'],
  ['up plian --runtime docker', 2, 'Did you mean plain'],
  ['up plain --mode carrier-pigeon', 2, '--mode.*Allowed choices'],
  ['up plain --cdc pigeons', 2, '--cdc.*Allowed choices'],
  ['up plain --replicas 9', 2, '--replicas.*from 0 to 8'],
  ['up replicated --replicas 0', 2, 'at least one replica'],
  ['up plain --api-port 99999', 2, '--api-port.*from 1 to 65,535'],
  ['up plain --ingest-port 3001', 2, '--ingest-port needs --mode kafka'],
  ['up plain --mode kafka --api-port 4000 --ingest-port 4000', 2, 'are the same'],
  ['up plain --setting fsync', 2, '--setting.*name=value'],
  ['up plain --runtime docker --mode sync', 2, '--mode'],
  ['up plain --small', 2, 'runtime docker'],
  ...(noCitus ? [['up citus', 3, 'citus'] satisfies [string, number, string]] : []),
  ['down ffffffff', 2, 'No run ffffffff'],
  ['down ffffffff --all', 2, 'not both'],
  ['env --file /', 2, "/ can't be written.*--file"],
  ['send', 2, 'Nothing runs.*lab up plain.*--url'],
  ['send --rate 2000000', 2, '--rate.*from 0.001 to 1,000,000'],
  ['send --since 30', 2, '--since.*as in 30d'],
  ['send --since 89d', 2, '--since.*from 1d to 88d'],
  ['send --since 30d --url http://127.0.0.1:2 --record x', 2, '--since.*without --url'],
  ['send --duplicates', 2, '--duplicates.*missing'],
  ['send --duplicates 0.9', 2, '--duplicates.*from 0 to 0.5'],
  ['send --url http://127.0.0.1:2 --record x --secret silvergate=whsec_AAAA', 2, '--url.*does not answer'],
  ['audit --run ffffffff', 2, 'No run ffffffff'],
  ['audit --topology plain', 2, '--topology goes with --dsn'],
  ['audit --dsn postgresql://127.0.0.1:2/payments', 2, '--dsn needs --topology plain.partitioned'],
  ['audit --dsn postgresql://127.0.0.1:2/payments --topology plian', 2, 'Did you mean plain'],
  ['audit --dsn payments --topology plain', 2, '--dsn has to look like'],
  [`audit --dsn ${nowhere} --topology plain`, 1, '--dsn: no connection to 127.0.0.1:2/payments'],
  ['audit --record gone.jsonl', 2, '--record.*gone.jsonl'],
  ['audit --record README.md', 2, '--record: .*README.md'],
  ['audit --clickhouse nowhere', 2, '--clickhouse has to look like'],
  ['dlq list', 2, 'Nothing runs'],
  ['dlq replay a/0/1 --all', 2, 'not both'],
  ['compare --topologies plain,nowhere', 2, 'no topology nowhere'],
  ['compare --topologies plain,replicatde', 2, 'Did you mean replicated'],
  ['compare --topologies ,', 2, '--topologies.*at least one'],
  ['compare --rounds 2', 2, '--rounds.*from 3'],
  ['compare --baseline gone', 2, 'no run gone'],
  ['compare --topologies citus --scenarios timeline', 2, 'timeline can.t be put to citus'],
  ['bench', 2, 'Name one scenario of ingest,.*acceptance'],
  ['bench ingets', 2, 'Did you mean ingest'],
  ['bench dance', 2, 'no scenario dance.*freshness'],
  ['bench ingest --all', 2, 'or use --all'],
  ['bench ingest --against pgbench --topology partitioned', 2, '--against'],
  ['bench freshness --rounds 5', 2, 'freshness has no --rounds'],
  ['bench acceptance --against pgbench', 2, 'acceptance has no --against'],
  ['annotate --grafana nowhere', 2, '--grafana has to look like'],
  ['report gone.json', 2, 'gone.json is no result document'],
  ['convert partitioned --dsn payments', 2, '--dsn has to look like'],
  ['convert partitioned --duty 2', 2, '--duty.*from 0.01 to 1'],
  [`partitions list --dsn ${nowhere}`, 1, '--dsn: no connection to'],
  [`partitions list --dsn ${nowhere} --run a`, 2, 'exclude one another'],
  ['partitions archive', 2, 'Name a partition'],
  ['partitions archive outbox_p20260131 --table outbox', 2, '--table goes with --older-than'],
  ['partitions query README.md --sql select', 1, "README.md can't be read as an archive"],
  ['shards move x --to y', 2, 'named by its number'],
  ['drill failover --replicas 9', 2, '--replicas.*from 1 to 8'],
  ['doctor --dance', 2, 'unknown option'],
])('lab %s ends with status %i and says why', async (commandLine, status, complaint) => {
  const result = await home.lab(...commandLine.split(' ')).ended;
  expect(result.stderr).toMatch(new RegExp(complaint));
  expect(result.stderr).toMatch(/^lab: /m);
  expect(result.stderr).not.toMatch(/^error: /m);
  expect(result.stderr).not.toMatch(/^ {4}at /m);
  expect(result.stdout).toBe('');
  expect(result.status).toBe(status);
  expect(await home.runs()).toEqual([]);
});

test('a reader that goes away early is no error', async () => {
  const command = home.lab('doctor', '--json');
  command.child.stdout.destroy();
  expect(await command.ended).toMatchObject({ status: 0, signal: null, stderr: '' });
});
