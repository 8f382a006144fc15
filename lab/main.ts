import { Command, CommanderError } from 'commander';

/**
 * Every command: one line here, one file in commands/ with a `register(program)`. A file is loaded when its command
 * is asked for, so that `lab --help` does not wait for what a benchmark needs.
 */
const commands: { name: string; summary: string; load: () => Promise<{ register(program: Command): void }> }[] = [
  { name: 'start', summary: 'the tour: compare, audit, report', load: () => import('./commands/start.ts') },
  { name: 'up', summary: 'start a system', load: () => import('./commands/up.ts') },
  { name: 'env', summary: 'the secrets that docker compose asks for', load: () => import('./commands/env.ts') },
  { name: 'down', summary: 'stop a system and clean up', load: () => import('./commands/down.ts') },
  { name: 'status', summary: 'what runs, and how it does', load: () => import('./commands/status.ts') },
  { name: 'token', summary: 'an access token for the API', load: () => import('./commands/token.ts') },
  { name: 'restart', summary: 'start a part of a system again', load: () => import('./commands/restart.ts') },
  { name: 'stop', summary: 'stop a part of a system', load: () => import('./commands/stop.ts') },
  { name: 'promote', summary: 'make a replica the primary', load: () => import('./commands/promote.ts') },
  { name: 'rebuild', summary: 'make a former primary a replica', load: () => import('./commands/rebuild.ts') },
  { name: 'send', summary: 'send signed webhooks like a provider', load: () => import('./commands/send.ts') },
  { name: 'audit', summary: 'check the invariants of the data', load: () => import('./commands/audit.ts') },
  { name: 'dlq', summary: 'messages that could not be applied', load: () => import('./commands/dlq.ts') },
  {
    name: 'payments',
    summary: 'reconcile, rebuild and replay payments',
    load: () => import('./commands/payments.ts'),
  },
  {
    name: 'quarantine',
    summary: 'webhooks that wait for a decision',
    load: () => import('./commands/quarantine.ts'),
  },
  { name: 'compare', summary: 'compare topologies', load: () => import('./commands/compare.ts') },
  { name: 'bench', summary: 'run one scenario', load: () => import('./commands/bench.ts') },
  { name: 'annotate', summary: 'mark benchmark runs in Grafana', load: () => import('./commands/annotate.ts') },
  { name: 'report', summary: 'the HTML report of a run', load: () => import('./commands/report.ts') },
  { name: 'verify', summary: 'derive a result’s figures again', load: () => import('./commands/verify.ts') },
  {
    name: 'convert',
    summary: 'convert a running system to another topology',
    load: () => import('./commands/convert.ts'),
  },
  { name: 'partitions', summary: 'look after daily partitions', load: () => import('./commands/partitions.ts') },
  { name: 'shards', summary: 'look after the shards of a cluster', load: () => import('./commands/shards.ts') },
  { name: 'drill', summary: 'break a system and prove that it recovers', load: () => import('./commands/drill.ts') },
  { name: 'check', summary: 'look over a database of your own', load: () => import('./commands/check.ts') },
  { name: 'doctor', summary: 'what this machine has and lacks', load: () => import('./commands/doctor.ts') },
];

const program = new Command('lab')
  .description('Payments scaling lab: one workload, several Postgres topologies, audited.')
  .exitOverride()
  // Commander's complaints begin as ours do.
  .configureOutput({ outputError: (text, write) => write(text.replace(/^(?:error: )?/, 'lab: ')) })
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    `
Examples:
  $ lab doctor                         what can run here
  $ lab up partitioned                 start a system; Ctrl-C stops it
  $ lab up plain --detach --json       start it in the background, URLs as JSON
  $ lab status                         what runs
  $ lab send && lab audit              webhooks, and the proof that none was lost
  $ lab compare --quick                the topologies side by side
  $ lab down --all                     stop everything

Exit status: 0 done and valid, 1 a check failed, 2 wrong usage, 3 a needed part is missing here.`,
  );

// A reader that has seen enough, as in `lab status | head -1`, does not end a command before its work is done.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    if (stream === process.stdout) process.stderr.write(`lab: the output can't be written: ${error.message}\n`);
    process.exitCode = 1;
  });
}

try {
  const [first, second] = process.argv.slice(2);
  if (first === 'help' && second) process.argv.splice(2, 2, second, '--help');
  const wanted = commands.find(({ name }) => name === process.argv[2]);
  if (wanted) (await wanted.load()).register(program);
  else {
    for (const { name, summary } of commands) program.command(name).summary(summary).allowUnknownOption();
    // Of a command that does not exist not even the help is there: `--help` would show that of all, with status 0.
    if (!first?.startsWith('-')) process.argv.splice(3);
  }
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else process.exitCode = (await import('./report-error.ts')).reportError(error);
}
