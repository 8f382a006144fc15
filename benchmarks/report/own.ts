import { type Html, html } from '../../kernel/html.ts';
import { ownArmsScenarios } from '../scenarios/registry.ts';
import type { TextSummary } from '../scenarios/scenario.ts';
import type { OwnDocument } from '../schema/own-document.ts';

/** The document of a scenario with arms of its own: what it says in a terminal, or what it draws itself. */
export async function renderOwn(document: OwnDocument): Promise<Html> {
  const scenario = ownArmsScenarios.find(({ name }) => name === document.scenario);
  if (!scenario) throw new Error(`there is no scenario ${document.scenario}`);
  const good = document.verdict === 'VALID';
  const badge = html`<span class="badge ${good ? 'good' : 'bad'}">${good ? '✓ VALID' : '✗ DISCARDED'}</span>`;
  const body = (await scenario.report?.())?.own?.(document) ?? renderSummary(scenario.summarize(document));
  const { environment, command, startedAt } = document;
  return html`<article><header><p class="kicker">Payments scaling lab · ${document.scenario} · ${document.id}</p>
<h1>${scenario.title} ${badge}</h1></header>${body}
<section><h2>Environment</h2><p>lab ${command}, ${startedAt.replace('T', ' ').slice(0, 19)} UTC, commit ${environment.commit ?? 'not from a clone'}:
${environment.cpu}, ${environment.cores} cores that the load generator shares, ${environment.platform}, Node ${environment.node}.
Absolute numbers belong to this machine and this hour; only the ratios are meant to be quoted.</p></section></article>`;
}

function renderSummary({ head, rows, lines }: TextSummary): Html {
  return html`<section><h2>Result</h2><div class="scroll"><table><thead><tr>${head.map((text) => html`<th>${text}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>
<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul></section>`;
}
