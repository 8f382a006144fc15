import type { Command } from 'commander';
import type { TopologyName } from '../../kernel/topology.ts';

export function register(program: Command): void {
  program
    .command('doctor')
    .summary('what this machine has and lacks')
    .description('Lists the parts that the lab can use, what each missing one would add, and how to install it.')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  $ lab doctor\n  $ lab doctor --json\n\nExit status 3 when a required part is missing.',
    )
    .action(async (flags: { json?: boolean }) => {
      const { print, printJson, table } = await import('../output.ts');
      const { findParts } = await import('../../runtime/native/parts.ts');
      const { readStorage } = await import('../../runtime/native/storage.ts');
      const { runsRoot } = await import('../../runtime/native/runs-root.ts');
      const { topologyNames, capabilities } = await import('../../kernel/topology.ts');
      const parts = await findParts();
      const complete = parts.every(({ required, found }) => !required || found !== null);
      const hasCitus = parts.some(({ name, found }) => name === 'Citus' && found !== null);
      const canRun = (name: TopologyName) => capabilities(name).requiredExtension === null || hasCitus;
      const topologies = topologyNames.filter((name) => complete && canRun(name));
      const storage = await readStorage(await runsRoot());
      if (flags.json) printJson({ parts, topologies, storage });
      else {
        const rows = parts.map(({ name, found, adds, install, required }) => [
          found ? '✓' : required ? '✗' : '–',
          name,
          found ?? 'missing',
          adds,
          found ? '' : install,
        ]);
        print(table(['', 'part', 'version', 'for', 'install by'], rows));
        print(`\nRuns here: ${topologies.join(', ') || 'nothing'}.`);
        const free = `${(storage.freeBytes / 1e9).toFixed(1)} GB free`;
        const warning = storage.inMemory ? '. It lies in memory: set LAB_HOME to a disk, or fsync costs nothing' : '';
        print(`Data goes to ${storage.directory} (${storage.fileSystem}, ${free})${warning}.`);
      }
      if (!complete) process.exitCode = 3;
    });
}
