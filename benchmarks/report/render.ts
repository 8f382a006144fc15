import { readFile } from 'node:fs/promises';
import { Html, html } from '../../kernel/html.ts';
import { scenarios } from '../scenarios/registry.ts';
import type { ScenarioReport } from '../scenarios/scenario.ts';
import { isOwnDocument, type ResultDocument } from '../schema/result.ts';
import type { RunDocument } from '../schema/run.ts';
import { renderOwn } from './own.ts';
import { comparisonSection } from './sections/comparison.ts';
import { auditSection, environmentSection, plansSection } from './sections/details.ts';
import { discardedSection, methodSection } from './sections/method.ts';
import { createView } from './view.ts';

/** One HTML file for one or several documents. It loads nothing: styles and charts are in it. */
export async function renderReport(documents: readonly ResultDocument[]): Promise<string> {
  const style = new Html(await readFile(new URL('./style.css', import.meta.url), 'utf8'));
  const reports = await Promise.all(scenarios.flatMap((scenario) => scenario.report?.() ?? []));
  const articles = await Promise.all(
    documents.map((document) => (isOwnDocument(document) ? renderOwn(document) : renderRun(document, reports))),
  );
  const [first] = documents;
  const title = documents.length === 1 ? titleOf(first!) : `${documents.length} runs`;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Payments scaling lab: ${title}</title><style>${style}</style></head>
<body><main>${articles}<footer>Payments scaling lab. The numbers behind this page are in <code>results/</code>, one JSON document a run.</footer></main></body></html>
`.text;
}

function titleOf(document: ResultDocument): string {
  return isOwnDocument(document) ? document.scenario : document.conclusion;
}

function renderRun(document: RunDocument, reports: readonly ScenarioReport[]): Html {
  const view = createView(document);
  const good = document.verdict === 'VALID';
  const badge = html`<span class="badge ${good ? 'good' : 'bad'}">${good ? '✓ VALID' : '✗ DISCARDED'}</span>`;
  const baseline = document.baseline && [
    html`<li>Since ${document.baseline.id}: ${document.baseline.regressions.join('; ') || 'nothing became worse'}.</li>`,
  ];
  const cards = view.arms.flatMap((arm) => reports.flatMap((report) => report.card?.(view, arm) ?? []));
  const sections = [
    comparisonSection(view),
    ...reports.flatMap((report) => report.sections.map((section) => section(view))),
    auditSection(view),
    discardedSection(view),
    plansSection(
      view,
      reports.flatMap((report) => report.folded?.(view) ?? []),
    ),
    environmentSection(view),
    methodSection(view),
  ];
  return html`<article><header><p class="kicker">Payments scaling lab · ${document.scenarios.join(' and ')} · ${document.id}</p>
<h1>${document.conclusion} ${badge}</h1></header><div class="cards">${cards}</div>
<section><h2>What the numbers say</h2><ul class="findings">${document.findings.map((text) => html`<li>${text}</li>`)}${baseline ?? ''}</ul></section>
${sections}</article>`;
}
