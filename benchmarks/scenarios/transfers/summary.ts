import { type TransferForm, transferShapes } from '../../pgbench/transfers.ts';
import { ratioHead, shortRatio } from '../../report/ratio-words.ts';
import { median } from '../../statistics/summary.ts';
import type { TextSummary } from '../scenario.ts';
import type { TransfersDocument } from './document.ts';
import { pgbenchRates, strategyRates } from './judge.ts';

const forms: Readonly<Record<TransferForm, string>> = {
  statements: 'pgbench, statement by statement',
  single: 'pgbench, one statement',
  tpcb: 'pgbench, its own (tpcb-like)',
};

/** A line for each strategy and shape, pgbench's below, then the audits and the targets. */
export function summarizeTransfers(document: TransfersDocument): TextSummary {
  const { audits, targets, verdict, reasons, clients, accounts } = document;
  return {
    head: [
      '',
      'transfers/s',
      ...Object.keys(forms).map((form) => `÷ ${form}, ${ratioHead(document.ratios)}`),
      'p99',
      'api µs',
      'postgres µs',
      'WAL bytes',
    ],
    rows: [...strategyRows(document), ...pgbenchRows(document)],
    lines: [
      `${clients} clients in a closed loop; ${accounts} payers drawn alike, and as many payees drawn alike or by Zipf's law.`,
      'CPU in microseconds and WAL per transfer. Medians of the rounds; ratios round by round.',
      ...audits.map(
        ({ strategy, ok, transfers }) => `audit of ${strategy}: ${ok ? 'clean' : 'BROKEN'}, ${transfers} transfers`,
      ),
      ...targets.map(({ met, what, measured, target }) => `${met ? '✓' : '✗'} ${what}: ${measured}, target ${target}`),
      `${verdict}${reasons.length > 0 ? `: ${reasons.join('; ')}` : ''}`,
    ],
  };
}

function strategyRows({ strategies, ratios }: TransfersDocument): TextSummary['rows'] {
  return transferShapes.flatMap((shape) =>
    strategies.map(({ name, rounds }) => {
      const loads = rounds.map(({ phases }) => phases.find((phase) => phase.shape === shape)!.load);
      const each = (of: (load: (typeof loads)[number]) => number) =>
        Math.round(median(loads.map((load) => of(load) / Math.max(1, load.acknowledged))));
      const found = ratios.filter(({ strategy, shape: other }) => strategy === name && other === shape);
      return [
        `${name}, ${shape}`,
        Math.round(median([...strategyRates(rounds, shape).values()])),
        ...found.map(shortRatio),
        `${Math.round(median(loads.map(({ latency }) => latency.p99Ms)))} ms`,
        each(({ cpuSeconds }) => cpuSeconds.api! * 1e6),
        each(({ cpuSeconds }) => cpuSeconds.postgres! * 1e6),
        each(({ walBytes }) => walBytes),
      ];
    }),
  );
}

function pgbenchRows({ pgbench }: TransfersDocument): TextSummary['rows'] {
  const nothing = Array.from({ length: 7 }, () => '–');
  const row = (form: TransferForm, shape: (typeof transferShapes)[number], name: string) => [
    name,
    Math.round(median([...pgbenchRates(pgbench.rounds, form, shape).values()])),
    ...nothing,
  ];
  return [
    ...transferShapes.flatMap((shape) =>
      (['statements', 'single'] as const).map((form) => row(form, shape, `${forms[form]}, ${shape}`)),
    ),
    row('tpcb', 'uniform', forms.tpcb),
  ];
}
