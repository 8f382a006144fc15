import { type Html, html } from '../../../../kernel/html.ts';
import { armAxis, axis, drawChart, legend, limitLine, lineStyle } from '../../../report/charts.ts';
import type { View } from '../../../report/view.ts';
import { median } from '../../../statistics/summary.ts';
import type { IngestData } from '../data.ts';
import { ingestTurn } from '../metrics.ts';

/** What each arm takes, and what that does to the latency. */
export function throughputSection(view: View): Html {
  if (!view.arms.some(({ result }) => view.rounds(ingestTurn, result.name).length > 0)) return html``;
  return html`<section><h2>Throughput and latency</h2>
<figure>${ratesChart(view)}<figcaption>Highest rate held at p99 ≤ 100 ms: every round is a symbol, the bar is the median.</figcaption></figure>
<figure>${curveChart(view)}<figcaption>p99 against the offered rate. Lines: the ramps of the rounds that had one, second by second. Hollow symbols: rates that were
held for a while. Latency counts from the moment when a request was meant to start; above the dashed line the objective is lost.</figcaption></figure></section>`;
}

function ratesChart(view: View): Html {
  const names = view.arms.map(({ result }) => result.name);
  const bars = {
    type: 'bar' as const,
    barWidth: '46%',
    data: view.arms.map(({ result, mark }) => ({
      value: Math.round(result.summary['ingest.rate']?.median ?? 0),
      itemStyle: { color: `${mark.colour}40`, borderColor: mark.colour, borderWidth: 1.5 },
    })),
    label: {
      show: true,
      position: 'insideLeft' as const,
      fontWeight: 'bold' as const,
      fontSize: 15,
      color: '#1d2733',
      formatter: (point: { value: unknown }) => Number(point.value).toLocaleString('en-US'),
    },
  };
  const rounds = view.arms.map(({ result, mark }, at) => ({
    type: 'scatter' as const,
    symbol: mark.symbol,
    symbolSize: 12,
    itemStyle: { color: mark.colour },
    data: view.rounds(ingestTurn, result.name).map((data) => [data.peak.rate, at]),
  }));
  const option = {
    grid: { left: 110, right: 40, top: 14, bottom: 54 },
    xAxis: axis('webhooks a second', false, { min: 0 }),
    yAxis: armAxis(names),
    series: [bars, ...rounds],
  };
  return drawChart(option, 'Highest rate of each arm, by round', 90 + 62 * names.length);
}

function curveChart(view: View): Html {
  const lines = view.arms.map(({ result, mark }, at) => ({
    name: result.name,
    type: 'line' as const,
    ...lineStyle(mark),
    data: typicalRamp(view.rounds(ingestTurn, result.name)),
    ...(at === 0 && { markLine: limitLine(100, 'objective: 100 ms') }),
  }));
  const holds = view.arms.map(({ result, mark }) => ({
    name: `${result.name}, held`,
    type: 'scatter' as const,
    symbol: mark.symbol,
    symbolSize: 10,
    itemStyle: { color: '#ffffff', borderColor: mark.colour, borderWidth: 2 },
    data: view
      .rounds(ingestTurn, result.name)
      .flatMap((data) => [
        ...data.attempts,
        { offeredRate: data.half.offeredRate ?? 0, p99Ms: data.half.latency.p99Ms },
      ])
      .map((point) => [Math.round(point.offeredRate), Math.round(point.p99Ms * 10) / 10]),
  }));
  const option = {
    legend: { ...legend, data: lines.map(({ name }) => name) },
    xAxis: axis('offered webhooks a second', false, { min: 0 }),
    yAxis: axis('p99 in ms (log)', true, { type: 'log' }),
    series: [...lines, ...holds],
  };
  return drawChart(option, 'p99 latency against offered rate', 400);
}

/** The ramps of all rounds as one: the median of rate and latency, second by second. */
function typicalRamp(all: readonly IngestData[]): [number, number][] {
  const rounds = all.filter(({ curve }) => curve.length > 0);
  const seconds = Math.min(...rounds.map((data) => data.curve.length));
  if (!Number.isFinite(seconds)) return [];
  return Array.from({ length: seconds }, (_, at) => [
    Math.round(median(rounds.map((data) => data.curve[at]!.offeredRate))),
    Math.max(0.1, median(rounds.map((data) => data.curve[at]!.p99Ms))),
  ]);
}
