import { ratioHead, shortRatio } from '../../report/ratio-words.ts';
import type { TextSummary } from '../scenario.ts';
import type { AcceptanceDocument } from './document.ts';

const components = ['ingest', 'broker', 'api', 'postgres', 'generator'];

/** A line for each arm, then what they are, the audits and the target. */
export function summarizeAcceptance(document: AcceptanceDocument): TextSummary {
  const { arms, ratios, target, idleBrokerCores, audits, verdict, reasons } = document;
  const ratioOf = { sync: undefined, kafka: ratios.concurrent, 'kafka-burst': ratios.burst };
  return {
    head: [
      '',
      'accepted/s',
      ratioHead([ratios.concurrent, ratios.burst]),
      'p99',
      ...components.map((name) => `${name} µs`),
    ],
    rows: arms.map(({ name, medianRate, rounds, cpuUs }) => {
      const p99s = rounds.map(({ load }) => load.latency.p99Ms).toSorted((a, b) => a - b);
      const ratio = ratioOf[name];
      return [
        name,
        Math.round(medianRate),
        ratio ? shortRatio(ratio) : 'control',
        `${Math.round(p99s[Math.floor(rounds.length / 2)]!)} ms`,
        ...components.map((component) => cpuUs[component] ?? '–'),
      ];
    }),
    lines: [
      ...arms.map(({ name, description }) => `${name}: ${description}`),
      `CPU in microseconds per accepted webhook. The idle broker takes ${(idleBrokerCores * 100).toFixed(1)} % of a core.`,
      ...audits.map(({ mode, ok, acknowledged }) => {
        return `audit of ${mode}: ${ok ? 'clean' : 'BROKEN'}, ${acknowledged} acknowledged webhooks looked up`;
      }),
      `${target.met ? '✓' : '✗'} ${target.what}: ${target.measured}, target ${target.target}`,
      `${verdict}${reasons.length > 0 ? `: ${reasons.join('; ')}` : ''}`,
    ],
  };
}
