import type { Command } from 'commander';
import type { RunStatus } from '../../operations/status/run-status.ts';

export function register(program: Command): void {
  program
    .command('status')
    .summary('what runs, and how it does')
    .description('Shows each running system: processes, rates, replication lag, rows outside of any partition.')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  $ lab status\n  $ lab status --json\n\nExit status 1 when a part of a system is down.',
    )
    .action(async (flags: { json?: boolean }) => {
      const { print, printJson } = await import('../output.ts');
      const { listRuns } = await import('../../runtime/native/run-directory.ts');
      const found = await listRuns();
      // Loaded where there is something to look at, with the database's client that comes along.
      const status = found.length > 0 ? await import('../../operations/status/run-status.ts') : undefined;
      const runs = status ? await Promise.all(found.map((run) => status.readStatus(run))) : [];
      if (flags.json) printJson({ runs });
      else if (runs.length === 0) print('Nothing runs. Start with: lab up plain');
      else for (const run of runs) print(await describe(run));
      if (!runs.every(isHealthy)) process.exitCode = 1;
    });
}

function isHealthy(run: RunStatus): boolean {
  const partitionsFit = run.defaultPartitions.every(({ rows }) => rows === 0);
  const pipelineFits = (run.ingest ?? 'ok') === 'ok' && !run.pipeline?.capture?.alarm;
  const notifies = run.notifications !== null && !run.notifications?.alarm;
  return (
    pipelineFits && notifies && run.api === 'ok' && run.rows !== null && run.processes.every(isWell) && partitionsFit
  );
}

/** A primary that was replaced is meant to be down. */
function isWell({ alive, state }: RunStatus['processes'][number]): boolean {
  return alive || state === 'fenced';
}

async function describe(run: RunStatus): Promise<string> {
  const { table } = await import('../output.ts');
  const { rows, rates } = run;
  const lines: [string, string][] = [
    ['run', `${run.id}, ${run.topology}, since ${run.startedAt}`],
    ['API', `${run.urls.api}  ${run.api}`],
    ['provider', run.urls.provider],
    ...(run.urls.payments ? [['payments', run.urls.payments] as [string, string]] : []),
    ['logs', run.runDirectory],
    ['processes', run.processes.map(describeProcess).join(', ')],
    ...run.processes.flatMap(whyDown),
    ...(run.primary === null || run.primary === 'primary' ? [] : [['primary', run.primary] as [string, string]]),
    [
      'rows',
      rows ? `${rows.orders} orders, ${rows.deliveries} deliveries, ${rows.parkedWebhooks} parked` : 'no answer',
    ],
    ['rates', rates ? `${rates.webhooksPerSecond} webhooks/s, ${rates.requestsPerSecond} requests/s` : 'no answer'],
  ];
  for (const { replica, state, lagBytes, lagMs, synchronous } of run.replication) {
    const lag =
      lagBytes === null
        ? 'lag not known yet'
        : `${lagBytes} bytes${lagMs === null ? '' : `, ${lagMs.toFixed(1)} ms`} behind`;
    lines.push([replica, `${state}${synchronous ? ', synchronous' : ''}, ${lag}`]);
  }
  lines.push(...pipelineLines(run), ...notificationLines(run));
  for (const { table: name, rows: outside } of run.defaultPartitions) {
    if (outside > 0) lines.push(['alarm', `${outside} rows in the default partition of ${name}`]);
  }
  return `${table([], lines)}\n`;
}

function describeProcess({ name, pid, alive, state, restarts }: RunStatus['processes'][number]): string {
  const times = restarts === 0 ? '' : ` (started again ${restarts === 1 ? 'once' : `${restarts} times`})`;
  if (alive && state === 'running') return `${name} ${pid}${times}`;
  return `${name} ${state === 'running' ? 'DOWN' : state.toUpperCase()}${times}`;
}

/** How a part ended, and what it said last. */
function whyDown({ name, state, ends, log }: RunStatus['processes'][number]): [string, string][] {
  if (state !== 'down' || !ends) return [];
  const often = ends.length > 1 ? `${ends.length} times within a minute, ` : '';
  const how = [...new Set(ends)].join(', ');
  const said = (log ?? '').split('\n').filter((line) => line !== '');
  return [
    [`  ${name}`, `ended ${often}with ${how}; lab restart ${name} starts it`],
    ...said.map((line): [string, string] => ['', line.slice(0, 200)]),
  ];
}

/** Lag stage by stage, in the order in which an event passes them. */
function pipelineLines({ urls, ingest, pipeline }: RunStatus): [string, string][] {
  if (!pipeline) return [];
  const lines: [string, string][] = [];
  if (urls.ingest) lines.push(['gateway', `${urls.ingest}  ${ingest}`]);
  const { consumerLag, retriesWaiting, deadLetters, capture, stages, slowStage } = pipeline;
  if (pipeline.mode === 'kafka') {
    const lag = consumerLag && Object.values(consumerLag).reduce((sum, one) => sum + one, 0);
    const dead = `${deadLetters ?? 'too many'} dead letters not replayed`;
    const text = `${lag} messages behind, ${retriesWaiting} wait for a retry, ${dead}`;
    lines.push(['consumers', lag === null ? 'no answer from the broker' : text]);
  }
  if (urls.cdc) lines.push(['capture', capture ? describeCapture(capture) : 'no answer']);
  for (const [name, { p50Ms, p99Ms }] of Object.entries(stages)) {
    lines.push([`  ${name.replaceAll('_', ' ')}`, `p50 ${p50Ms} ms, p99 ${p99Ms} ms`]);
  }
  if (slowStage) lines.push(['slow stage', slowStage.replaceAll('_', ' ')]);
  return lines;
}

function notificationLines({ urls, notifications }: RunStatus): [string, string][] {
  if (notifications === undefined) return [];
  const inbox: [string, string][] = urls.inbox ? [['inbox', urls.inbox]] : [];
  if (notifications === null) return [['notifications', 'no answer'], ...inbox];
  const { state, alarm, channels } = notifications;
  const byChannel = Object.entries(channels).map(([channel, { pending, dead, outage }]) => {
    const reason = outage === null ? '' : ` (nothing can be sent: ${outage.slice(0, 80)})`;
    return `${channel}: ${pending} wait, ${dead} dead letters${reason}`;
  });
  return [['notifications', [alarm ? `ALARM ${alarm}` : state, ...byChannel].join(', ')], ...inbox];
}

function describeCapture(capture: NonNullable<NonNullable<RunStatus['pipeline']>['capture']>): string {
  const { engine, state, alarm, lagMs, freshnessMs, slotLagBytes, consumerLag } = capture;
  const waiting = consumerLag && Object.values(consumerLag).reduce((sum, one) => sum + one, 0);
  return [
    `${engine}, ${alarm ? `ALARM ${alarm}` : state}`,
    `oldest event waits ${lagMs} ms`,
    ...(waiting === null ? [] : [`${waiting} messages behind`]),
    ...(slotLagBytes === null ? [] : [`slot ${slotLagBytes} bytes behind`]),
    ...(freshnessMs === null ? [] : [`newest commit in ClickHouse ${freshnessMs} ms old`]),
  ].join(', ');
}
