import { type Html, html } from '../../../../kernel/html.ts';
import { axis, drawChart, legend, lineStyle } from '../../../report/charts.ts';
import { markOf } from '../../../report/marks.ts';
import { bytes, milliseconds } from '../../../report/numbers.ts';
import type { View } from '../../../report/view.ts';
import { ingestTurn } from '../metrics.ts';

/** How far the replica's replay was behind while the load ran. */
export function lagSection(view: View): Html {
  const arms = view.arms.filter(({ result }) =>
    view.rounds(ingestTurn, result.name).some((data) => data.lag.length > 0),
  );
  if (arms.length === 0) return html``;
  const figures = arms.map(({ result }) => {
    const rounds = view.rounds(ingestTurn, result.name);
    const points = rounds.flatMap((data) => data.lag);
    const worstBytes = Math.max(...points.map((point) => point.bytes));
    const worstMs = Math.max(0, ...points.map((point) => point.replayMs ?? 0));
    const series = rounds.map((data, at) => ({
      name: `round ${at + 1}`,
      type: 'line' as const,
      ...lineStyle(markOf(at)),
      symbolSize: 5,
      data: data.lag.map((point) => [Math.round(point.atS * 100) / 100, Math.round(point.bytes / 1e3)]),
    }));
    const option = {
      legend,
      xAxis: axis('seconds since the round began', false),
      yAxis: axis('WAL not yet replayed, kB', true),
      series,
    };
    return html`<figure>${drawChart(option, `Replica lag of ${result.name}`, 320)}<figcaption>${result.name}: WAL that the primary had written and the replica had not replayed,
at most ${bytes(worstBytes)}; the replica reported a replay lag of up to ${milliseconds(worstMs)}. The closed loop, the ramp, the holds and the half rate follow one another.</figcaption></figure>`;
  });
  return html`<section><h2>Replica lag over time</h2>${figures}</section>`;
}
