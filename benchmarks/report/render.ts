import { readFile } from 'node:fs/promises';
import { freshnessSection } from '../scenarios/freshness/section.ts';
import { costSection } from '../scenarios/ingest/sections/cost.ts';
import { lagSection } from '../scenarios/ingest/sections/lag.ts';
import { latencySection } from '../scenarios/ingest/sections/latency.ts';
import { throughputSection } from '../scenarios/ingest/sections/throughput.ts';
import { readsSection } from '../scenarios/reads/section.ts';
import { timelineSection } from '../scenarios/timeline/section.ts';
import type { RunDocument } from '../schema/run.ts';
import { Html, html } from './html.ts';
import { milliseconds, number, percent } from './numbers.ts';
import { comparisonSection } from './sections/comparison.ts';
import { auditSection, environmentSection, plansSection } from './sections/details.ts';
import { discardedSection, methodSection } from './sections/method.ts';
import { createView, type View } from './view.ts';

const sections = [
  comparisonSection,
  throughputSection,
  latencySection,
  costSection,
  lagSection,
  timelineSection,
  readsSection,
  freshnessSection,
  auditSection,
  discardedSection,
  plansSection,
  environmentSection,
  methodSection,
];

/** One HTML file for one or several runs. It loads nothing: styles and charts are in it. */
export async function renderReport(documents: readonly RunDocument[]): Promise<string> {
  const style = new Html(await readFile(new URL('./style.css', import.meta.url), 'utf8'));
  const articles = documents.map((document) => renderRun(createView(document)));
  const title = documents.length === 1 ? documents[0]!.conclusion : `${documents.length} runs`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Payments scaling lab: ${title}</title><style>${style}</style></head>
<body><main>${articles}<footer>Payments scaling lab. The numbers behind this page are in <code>results/</code>, one JSON document a run.</footer></main></body></html>
`.text;
}

function renderRun(view: View): Html {
  const { document } = view;
  const good = document.verdict === 'VALID';
  const badge = html`<span class="badge ${good ? 'good' : 'bad'}">${good ? '✓ VALID' : '✗ DISCARDED'}</span>`;
  const baseline = document.baseline && [
    html`<li>Since ${document.baseline.id}: ${document.baseline.regressions.join('; ') || 'nothing became worse'}.</li>`,
  ];
  return html`<article><header><p class="kicker">Payments scaling lab · ${document.scenarios.join(' and ')} · ${document.id}</p>
<h1>${document.conclusion} ${badge}</h1></header><div class="cards">${view.arms.filter(({ result }) => view.ingest(result.name).length > 0).map((arm) => card(view, arm))}</div>
<section><h2>What the numbers say</h2><ul class="findings">${document.findings.map((text) => html`<li>${text}</li>`)}${baseline ?? ''}</ul></section>
${sections.map((section) => section(view))}</article>`;
}

function card(view: View, { result, mark }: View['arms'][number]): Html {
  const rate = result.summary['ingest.rate'];
  const ratio = view.ratio(result.name, 'ingest.rate');
  const p99 = result.summary['ingest.halfP99Ms']?.median;
  const relative = ratio
    ? `${ratio.ratio.toFixed(2)} × ${ratio.control} [${ratio.low.toFixed(2)}, ${ratio.high.toFixed(2)}]`
    : 'the control';
  return html`<div class="card" style="border-top-color:${mark.colour}"><h2><span style="color:${mark.colour}">${mark.character}</span> ${result.name}</h2>
<p class="big">${number(rate?.median)}</p><p>webhooks a second at p99 ≤ 100 ms</p><p>${relative}</p>
<p>p99 ${milliseconds(p99)} at half of that${rate ? `, rounds ${percent(rate.spread)} apart` : ''}</p></div>`;
}
