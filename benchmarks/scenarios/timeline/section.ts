import { type Html, html } from '../../../kernel/html.ts';
import { milliseconds, number } from '../../report/numbers.ts';
import type { View } from '../../report/view.ts';
import { timelineTurn } from './metrics.ts';

/** Pages and time of each query, for both physical orders, cold and warm. */
export function timelineSection(view: View): Html {
  const first = view.arms
    .map(({ result }) => view.rounds(timelineTurn, result.name)[0])
    .find((data) => data !== undefined);
  if (!first) return html``;
  const kinds = first.results.map(({ query, order, cache }) => ({ query, order, cache }));
  const groups = (['random', 'time'] as const).map((order) => {
    const rows = kinds.filter((kind) => kind.order === order).map((kind) => row(view, kind));
    const title =
      order === 'random' ? 'Rows in random order on disk' : 'Rows in time order on disk, as live traffic writes them';
    return html`<tbody><tr class="group"><th colspan="${view.arms.length * 2 + 2}" scope="rowgroup">${title}</th></tr>${rows}</tbody>`;
  });
  const head = view.arms.map(
    ({ result, mark }) =>
      html`<th colspan="2" scope="colgroup"><span style="color:${mark.colour}">${mark.character}</span> ${result.name}</th>`,
  );
  const nodes = view.arms
    .map(({ result }) => `${result.name}: ${view.rounds(timelineTurn, result.name)[0]?.node ?? '–'}`)
    .join(', ');
  return html`<section><h2>Time-range queries</h2>
<p>${number(first.events)} dispute events of ${first.days} days; events of kind <code>evidence_added</code> in a range, joined with
disputes that were lost for fraud. Time is planning and execution; pages are those asked for, found in memory or not.</p>
<div class="scroll"><table><thead><tr><th rowspan="2">query</th><th rowspan="2">cache</th>${head}</tr>
<tr>${view.arms.map(() => html`<th>time</th><th>pages</th>`)}</tr></thead>${groups}</table></div>
<p class="note">${describeCold(first.cold)} “Pruning off” forbids the planner to leave out partitions. One dispute’s history is a question
without a time: every partition has to be looked into. Answered by ${nodes}. One process answers each query (no parallel workers).</p></section>`;
}

/** The scenario says what it emptied, or why it could not. */
function describeCold(cold: string): string {
  return cold.startsWith('not measured') ? `Cold queries were ${cold}.` : `Emptied before each cold query: ${cold}.`;
}

function row(view: View, kind: { query: string; order: string; cache: string }): Html {
  const name = `timeline/${kind.query}/${kind.order}/${kind.cache}`;
  const cells = view.arms.map(({ result }) => {
    const time = result.summary[`${name}/ms`]?.median;
    const ratio = view.ratio(result.name, `${name}/ms`);
    const pages = result.summary[`${name}/pages`]?.median;
    const pagesRatio = view.ratio(result.name, `${name}/pages`);
    return html`<td><b>${milliseconds(time)}</b>${ratio ? html`<small>${ratio.ratio.toFixed(2)} ×</small>` : ''}</td>
<td>${number(pages)}${pagesRatio ? html`<small>${pagesRatio.ratio.toFixed(2)} ×</small>` : ''}</td>`;
  });
  return html`<tr><th scope="row">${kind.query}</th><td>${kind.cache}</td>${cells}</tr>`;
}
