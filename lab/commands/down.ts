import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('down')
    .summary('stop a system and clean up')
    .description('Stops a running system: its processes end, its data and its directory are removed.')
    .argument('[run]', 'which one, when several run')
    .option('--all', 'every running system of yours, and what dead ones left')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nExamples:\n  $ lab down\n  $ lab down 3f9a01bc\n  $ lab down --all')
    .action(async (id: string | undefined, flags: { all?: boolean; json?: boolean }) => {
      const { print, printJson } = await import('../output.ts');
      const { UsageError } = await import('../../runtime/usage-error.ts');
      const { listRuns, sweepDeadRuns } = await import('../../runtime/native/run-directory.ts');
      const { runsRoot } = await import('../../runtime/native/runs-root.ts');
      const { stopRun } = await import('../../runtime/native/stop-run.ts');
      if (id !== undefined && flags.all) throw new UsageError('Name a run, or use --all: not both.');
      const swept = await sweepDeadRuns(await runsRoot());
      const runs = await listRuns();
      const chosen = id === undefined ? runs : runs.filter((run) => run.id === id);
      if (id !== undefined && chosen.length === 0) throw new UsageError(`No run ${id}. See: lab status`);
      if (!flags.all && chosen.length > 1) {
        const ids = runs.map((run) => `${run.id} (${run.topology})`).join(', ');
        throw new UsageError(`Several systems run: ${ids}. Name one, or use --all.`);
      }
      for (const run of chosen) await stopRun(run);
      const stopped = chosen.map((run) => run.id);
      if (flags.json) printJson({ stopped, swept });
      else if (stopped.length + swept.length === 0) print('Nothing runs.');
      else print([...stopped.map((run) => `stopped ${run}`), ...swept.map((path) => `swept ${path}`)].join('\n'));
    });
}
