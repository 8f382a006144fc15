import { type Command, InvalidArgumentError, Option } from 'commander';
import { partitionIntervals } from '../../kernel/topology.ts';
import type { SystemOptions } from '../../runtime/native/system-options.ts';
import { maxReplicas, port, wholeNumber } from '../arguments.ts';
import type { UpFlags } from '../up-flags.ts';

const examples = `
Examples:
  $ lab up plain                            until Ctrl-C
  $ lab up replicated --replicas 2 --sync   commits wait for one of two replicas
  $ lab up partitioned --detach --json      in the background
  $ lab up partitioned --partitions weekly  fewer partitions, each of a week
  $ lab up partitioned --mode kafka --cdc debezium
  $ lab up partitioned --runtime docker     everything in containers; prints the compose command
  $ lab up plain --postgres installed --setting shared_buffers=1GB`;

export function register(program: Command): void {
  program
    .command('up')
    .summary('start a system')
    .description(
      'Starts PostgreSQL, the simulated payment provider, the API and the way to ClickHouse on 127.0.0.1, in kafka mode ' +
        'the ingest gateway and a broker too, and prints their URLs.',
    )
    .argument('<topology>', 'plain, partitioned, replicated or citus')
    .addOption(new Option('--mode <mode>', 'how webhooks arrive').choices(['sync', 'kafka']).default('sync'))
    .addOption(
      new Option('--cdc <engine>', 'what carries events to ClickHouse (native where ClickHouse runs here)').choices([
        'native',
        'debezium',
        'off',
      ]),
    )
    .addOption(new Option('--runtime <runtime>', 'what runs it').choices(['native', 'docker']).default('native'))
    .addOption(
      new Option('--postgres <kind>', 'whose PostgreSQL').choices(['embedded', 'installed']).default('embedded'),
    )
    .addOption(
      new Option('--partitions <interval>', 'how long partitions are (daily)').choices([...partitionIntervals]),
    )
    .option('--replicas <n>', 'streaming replicas (1 where the topology reads from them)', wholeNumber(0, maxReplicas))
    .option('--sync', 'commits wait for a replica')
    .option('--pgbouncer', 'the API reaches its database through pgbouncer in transaction mode')
    .option('--prometheus', 'Prometheus scrapes the system, with the alert rules of the lab')
    .option('--notifications', 'mails and webhooks about domain events, and an inbox in which they arrive')
    .option('--api-port <port>', 'port of the API (3000 when free, else any)', port)
    .option('--ingest-port <port>', 'port of the gateway in kafka mode (3001 when free, else any)', port)
    .option('--ha', 'docker, replicated: three servers under Patroni, which promotes one when the primary fails')
    .option('--small', 'docker: memory limits for a machine with 4 GB')
    .option('--grafana', 'docker: with the dashboards')
    .option('--setting <name=value>', 'a PostgreSQL setting; may be repeated', collectSetting)
    .option('--no-restart', 'leave a part that dies as it is, for drills; otherwise it is started again')
    .option('--detach', 'return once it is ready; `lab down` stops it')
    .option('--json', 'one JSON document on stdout: urls, dsn, secrets, processes')
    .addOption(new Option('--supervisor').hideHelp())
    .addHelpText('after', examples)
    .action(async (topology: string, flags: UpFlags, command: Command) => {
      if (flags.runtime === 'docker') {
        const { upInDocker } = await import('../up-docker-command.ts');
        return upInDocker(topology, flags, (name) => command.getOptionValueSource(name) === 'cli');
      }
      if (flags.ha || flags.small || flags.grafana) command.error('--ha, --small and --grafana need --runtime docker');
      const { checkRequest } = await import('../system-request.ts');
      const options: SystemOptions = await checkRequest(topology, flags);
      const supervise = await import('../supervise.ts');
      if (flags.supervisor) await supervise.superviseDetached(options);
      else if (flags.detach) await supervise.startDetached(process.argv.slice(2), flags.json ?? false);
      else await supervise.superviseInForeground(options, flags.json ?? false);
    });
}

function collectSetting(text: string, before: Record<string, string> = {}): Record<string, string> {
  const match = /^([a-z_][a-z0-9_.]*)=(.*)$/i.exec(text);
  if (!match) throw new InvalidArgumentError('It has to look like name=value.');
  return { ...before, [match[1]!]: match[2]! };
}
