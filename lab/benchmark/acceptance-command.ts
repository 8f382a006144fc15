import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { defaultResultsDirectory } from '../../benchmarks/compare/store.ts';
import { runAcceptance } from '../../benchmarks/scenarios/acceptance/acceptance.ts';
import type { AcceptanceDocument } from '../../benchmarks/schema/acceptance.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { print, printJson, progress, table } from '../output.ts';
import { saveTextPage } from './text-page.ts';

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
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => stop.abort(new Error(`stopped by ${name}`));
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, onSignal);
  const document = await runAcceptance({
    ...{ topology, rounds, seed, scale, progress, signal: stop.signal },
    command: `bench acceptance --topology ${topology} --rounds ${rounds} --scale ${scale} --seed ${seed}`,
  });
  // Beside the comparisons' documents, under a name that is none of theirs.
  const file = path.join(defaultResultsDirectory(), `acceptance-${document.id}.json`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
  if (flags.json) printJson(document);
  else print(describe(document));
  if (flags.save) {
    const page = {
      name: 'acceptance',
      title: 'What kafka mode accepts, against sync mode',
      text: describe(document),
      ...document,
    };
    progress(`saved: ${await saveTextPage(page)}`);
  }
  progress(`result: ${file}`);
  if (document.verdict !== 'VALID') process.exitCode = 1;
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
