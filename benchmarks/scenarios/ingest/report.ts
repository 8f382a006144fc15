import { type Html, html } from '../../../kernel/html.ts';
import { milliseconds, number, percent } from '../../report/numbers.ts';
import { boundsInWords } from '../../report/ratio-words.ts';
import type { View } from '../../report/view.ts';
import type { ScenarioReport } from '../scenario.ts';
import { ingestRate, ingestTurn } from './metrics.ts';
import { costSection } from './sections/cost.ts';
import { lagSection } from './sections/lag.ts';
import { latencySection } from './sections/latency.ts';
import { throughputSection } from './sections/throughput.ts';

export const ingestReport: ScenarioReport = {
  sections: [throughputSection, latencySection, costSection, lagSection],
  card,
};

function card(view: View, { result, mark }: View['arms'][number]): Html | undefined {
  if (view.rounds(ingestTurn, result.name).length === 0) return undefined;
  const rate = result.summary[ingestRate];
  const ratio = view.ratio(result.name, ingestRate);
  const p99 = result.summary['ingest.halfP99Ms']?.median;
  const relative = ratio ? `${ratio.ratio.toFixed(2)} × ${ratio.control}, ${boundsInWords(ratio)}` : 'the control';
  return html`<div class="card" style="border-top-color:${mark.colour}"><h2><span style="color:${mark.colour}">${mark.character}</span> ${result.name}</h2>
<p class="big">${number(rate?.median)}</p><p>webhooks a second at p99 ≤ 100 ms</p><p>${relative}</p>
<p>p99 ${milliseconds(p99)} at half of that${rate ? `, rounds ${percent(rate.spread)} apart` : ''}</p></div>`;
}
