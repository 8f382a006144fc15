import { checkResultsDirectory, defaultResultsDirectory } from '../../benchmarks/results/store.ts';
import { backlogNote, type FreshnessDocument } from '../../benchmarks/scenarios/freshness/document.ts';
import { type Engine, runFreshness } from '../../benchmarks/scenarios/freshness/freshness.ts';
import { thorough } from '../../benchmarks/scenarios/freshness/measure-engine.ts';
import { capabilities, type TopologyName } from '../../kernel/topology.ts';
import { missingChdb } from '../../runtime/native/clickhouse.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { MissingPartError } from '../../runtime/native/missing-part.ts';
import { interruptible } from '../interruptible.ts';
import { progress, table } from '../output.ts';
import { finishWith } from './own-document.ts';

export interface FreshnessFlags {
  topology: TopologyName;
  seed: number;
  scale: number;
  json?: boolean;
  save?: boolean;
}

/** `lab bench freshness`. */
export async function freshnessCommand(flags: FreshnessFlags): Promise<void> {
  const { topology, seed, scale } = flags;
  await checkResultsDirectory(defaultResultsDirectory());
  const document = await interruptible((signal) =>
    runFreshness({
      ...{ topology, seed, scale, progress, signal, pace: thorough },
      missing: (engine) => missingEngine(engine, topology),
      command: `bench freshness --topology ${topology} --scale ${scale} --seed ${seed}`,
    }),
  );
  if (document.engines.length === 0) {
    throw new MissingPartError(document.absent.map(({ reason }) => reason).join('; '), 'see lab doctor');
  }
  await finishWith(document, describe(document), {
    ...flags,
    title: 'Accepted → visible in ClickHouse, and backlog drain, of both CDC engines',
  });
}

/** What keeps an engine from running here; undefined when nothing does. */
export async function missingEngine(engine: Engine, topology: TopologyName): Promise<string | undefined> {
  if (engine === 'native') return missingChdb();
  if (capabilities(topology).shardKey) return `${topology} is read natively only, on each worker`;
  return missingChdb() ?? missingForKafka();
}

export function describe(document: FreshnessDocument): string {
  const lines: string[] = [];
  const rows = document.engines.map(({ engine, verdict, highestRate, load, steady, drain, audit }) => [
    ...[engine, verdict, Math.round(highestRate), Math.round(load.rate)],
    ...[ms(steady.latency.p50Ms), ms(steady.latency.p99Ms), steady.slowStage],
    ...[drain.backlog, `${drain.eventsPerSecond}/s`, ms(drain.resumeMs), audit.ok ? 'clean' : 'BROKEN'],
  ]);
  const head = ['engine', 'verdict', 'highest rate', 'steady rate', 'p50', 'p99', 'slow stage'];
  lines.push(table([...head, 'backlog', 'drain', 'until first', 'audit'], rows));
  for (const { what, target, measured, met } of document.targets) {
    lines.push(`${met ? '✓' : '✗'} ${what}: ${measured}, target ${target}`);
  }
  for (const { engine, reasons } of document.engines) {
    for (const reason of reasons) lines.push(`${engine} does not count: ${reason}`);
  }
  for (const { engine, reason } of document.absent) lines.push(`not here: ${engine}, because ${reason}`);
  lines.push(backlogNote);
  return lines.join('\n');
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
