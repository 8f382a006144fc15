import { type Html, html } from '../../../kernel/html.ts';
import { topologyScenarios } from '../../scenarios/registry.ts';
import { number } from '../numbers.ts';
import type { View } from '../view.ts';

/** The table that a decision rests on: a column for each arm, a row for each metric, ratios with intervals. */
export function comparisonSection(view: View): Html {
  const { arms, document } = view;
  const metrics = topologyScenarios.flatMap((scenario) => scenario.metrics ?? []);
  const measured = metrics.filter(({ name }) => arms.some(({ result }) => result.summary[name]));
  if (measured.length === 0) return html``;
  const head = arms.map(
    ({ result, mark }) =>
      html`<th scope="col"><span style="color:${mark.colour}">${mark.character}</span> ${result.name}</th>`,
  );
  const rows = measured.map((metric) => {
    const cells = arms.map(({ result }) => {
      const summary = result.summary[metric.name];
      if (!summary) return html`<td>–</td>`;
      const digits = metric.unit === 'ms' ? 1 : 0;
      const ratio = view.ratio(result.name, metric.name);
      const comparison = ratio
        ? html`<small>${ratio.ratio.toFixed(2)} × <span class="interval">[${ratio.low.toFixed(2)}, ${ratio.high.toFixed(2)}]</span></small>`
        : html`<small>control</small>`;
      return html`<td><b>${number(summary.median, digits)}</b><small class="interval">${number(summary.min, digits)} – ${number(summary.max, digits)}</small>${comparison}</td>`;
    });
    const unit = metric.unit === '/s' ? '' : `, ${metric.unit}`;
    const itself = document.sameArm?.comparisons.find((entry) => entry.metric === metric.name);
    const same =
      itself &&
      html`<small>${itself.control} against itself ${itself.ratio.toFixed(2)} × [${itself.low.toFixed(2)}, ${itself.high.toFixed(2)}]</small>`;
    return html`<tr><th scope="row">${metric.label}${unit}<small>${metric.better} is better</small>${same}</th>${cells}</tr>`;
  });
  const audits = arms.map(({ result }) => {
    if (!result.audit) return html`<td>none</td>`;
    return html`<td class="${result.audit.ok ? 'good' : 'bad'}">${result.audit.ok ? '✓ clean' : '✗ broken'}</td>`;
  });
  const verdicts = arms.map(
    ({ result }) => html`<td class="${result.verdict === 'VALID' ? 'good' : 'bad'}">${result.verdict}</td>`,
  );
  return html`<section><h2>Comparison</h2>
<div class="scroll"><table class="comparison"><thead><tr><th></th>${head}</tr></thead><tbody>${rows}
<tr><th scope="row">audit</th>${audits}</tr><tr><th scope="row">verdict</th>${verdicts}</tr></tbody></table></div>
<p class="note">Median of ${document.rounds} interleaved rounds, the range below it, then the ratio to
${document.control} with ${boundsOf(document)}.</p></section>`;
}

function boundsOf({ comparisons }: View['document']): string {
  if (comparisons.some(({ confidence }) => confidence === null)) {
    return 'the range of the rounds, which are too few for an interval: no difference and no equality is claimed';
  }
  const method = comparisons.some(({ rounds }) => rounds === undefined) ? 'bootstrap interval' : 't interval';
  return `its 95 % ${method}; where that holds 1, the two are not distinguished`;
}
