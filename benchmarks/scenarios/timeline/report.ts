import { type Html, html } from '../../../kernel/html.ts';
import type { View } from '../../report/view.ts';
import type { ScenarioReport } from '../scenario.ts';
import { timelineTurn } from './metrics.ts';
import { timelineSection } from './section.ts';

export const timelineReport: ScenarioReport = { sections: [timelineSection], folded: plans };

/** Plans don't change between rounds of the same data, so one round has them. */
function plans(view: View): Html[] {
  return view.arms.flatMap(({ result }) => {
    const data = view.rounds(timelineTurn, result.name).find((round) => round.plans.length > 0);
    if (!data) return [];
    const list = data.plans.map(
      ({ query, order, plan }) => html`<h4>${query}, rows in ${order} order</h4><pre>${plan}</pre>`,
    );
    return [html`<details><summary>Plans on ${result.name}</summary>${list}</details>`];
  });
}
