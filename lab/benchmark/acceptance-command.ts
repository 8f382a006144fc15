import { checkResultsDirectory, defaultResultsDirectory } from '../../benchmarks/results/store.ts';
import { runAcceptance } from '../../benchmarks/scenarios/acceptance/acceptance.ts';
import type { AcceptanceDocument } from '../../benchmarks/scenarios/acceptance/document.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { interruptible } from '../interruptible.ts';
import { progress, table } from '../output.ts';
import { finishWith } from './own-document.ts';

export interface AcceptanceFlags {
  topology: TopologyName;
  rounds: number;
  seed: number;
  scale: number;
  json?: boolean;
  save?: boolean;
}

/** `lab bench acceptance`. */
export async function acceptanceCommand(flags: AcceptanceFlags): Promise<void> {
  const { topology, rounds, seed, scale } = flags;
  await checkResultsDirectory(defaultResultsDirectory());
  const document = await interruptible((signal) =>
    runAcceptance({
      ...{ topology, rounds, seed, scale, progress, signal },
      command: `bench acceptance --topology ${topology} --rounds ${rounds} --scale ${scale} --seed ${seed}`,
    }),
  );
  await finishWith(document, describe(document), { ...flags, title: 'What kafka mode accepts, against sync mode' });
}

const components = ['ingest', 'broker', 'api', 'postgres', 'generator'];

/** What the command prints. */
export function describe({
  arms,
  ratios,
  target,
  idleBrokerCores,
  audits,
  verdict,
  reasons,
}: AcceptanceDocument): string {
  const lines: string[] = [];
  const rows = arms.map(({ name, medianRate, rounds, cpuUs }) => {
    const p99 = rounds.map(({ load }) => load.latency.p99Ms).toSorted((a, b) => a - b)[Math.floor(rounds.length / 2)]!;
    const ratio = { sync: undefined, kafka: ratios.concurrent, 'kafka-burst': ratios.burst }[name];
    const shown = ratio && `${ratio.ratio.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`;
    return [
      name,
      Math.round(medianRate),
      shown ?? 'control',
      `${Math.round(p99)} ms`,
      ...components.map((one) => cpuUs[one] ?? '–'),
    ];
  });
  const head = ['', 'accepted/s', 'ratio (95 %)', 'p99', ...components.map((name) => `${name} µs`)];
  lines.push(table(head, rows));
  for (const { name, description } of arms) lines.push(`${name}: ${description}`);
  lines.push(
    `CPU in microseconds per accepted webhook. The idle broker takes ${(idleBrokerCores * 100).toFixed(1)} % of a core.`,
  );
  for (const { mode, ok, acknowledged } of audits) {
    lines.push(`audit of ${mode}: ${ok ? 'clean' : 'BROKEN'}, ${acknowledged} acknowledged webhooks looked up`);
  }
  lines.push(`${target.met ? '✓' : '✗'} ${target.what}: ${target.measured}, target ${target.target}`);
  lines.push(`${verdict}${reasons.length > 0 ? `: ${reasons.join('; ')}` : ''}`);
  return lines.join('\n');
}
