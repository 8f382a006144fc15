import { type Html, html } from '../../../../kernel/html.ts';
import {
  countAtOrBelow,
  decodeHistogram,
  mergeHistograms,
  percentileCurve,
} from '../../../../simulator/driver/histogram.ts';
import { axis, drawChart, legend, lineStyle } from '../../../report/charts.ts';
import type { Mark } from '../../../report/marks.ts';
import type { View } from '../../../report/view.ts';
import { ingestTurn } from '../metrics.ts';

/** All latencies at half of the highest rate: the curve of percentiles and the histogram. */
export function latencySection(view: View): Html {
  const arms = view.arms.flatMap(({ result, mark }) => {
    const halves = view.rounds(ingestTurn, result.name).map((data) => decodeHistogram(data.half.histogram));
    return halves.length === 0 ? [] : [{ name: result.name, mark, histogram: mergeHistograms(halves) }];
  });
  if (arms.length === 0) return html``;
  return html`<section><h2>Latency at half of the highest rate</h2>
<figure>${percentileChart(arms)}<figcaption>Each step to the right is a rarer request: of 1,000 requests, one is slower than the value at 99.9 %.</figcaption></figure>
<figure>${histogramChart(arms)}<figcaption>Share of the requests by latency, in steps of a tenth of a power of ten.</figcaption></figure></section>`;
}

interface ArmLatency {
  name: string;
  mark: Mark;
  histogram: ReturnType<typeof mergeHistograms>;
}

const marks: Readonly<Record<number, string>> = {
  0: '0 %',
  1: '90 %',
  2: '99 %',
  3: '99.9 %',
  4: '99.99 %',
  5: '99.999 %',
};

function percentileChart(arms: readonly ArmLatency[]): Html {
  const series = arms.map(({ name, mark, histogram }) => ({
    name,
    type: 'line' as const,
    ...lineStyle(mark),
    symbolSize: 6,
    // The distance from 100 % in powers of ten spreads the tail, where the interesting requests are.
    data: percentileCurve(histogram).map(({ percentile, latencyMs }) => [-Math.log10(1 - percentile / 100), latencyMs]),
  }));
  const option = {
    legend,
    xAxis: axis('share of the requests that are faster', false, {
      min: 0,
      interval: 1,
      axisLabel: { formatter: (value: number) => marks[value] ?? '', color: '#5b6775' },
    }),
    yAxis: axis('latency in ms (log)', true, { type: 'log' }),
    series,
  };
  return drawChart(option, 'Latency by percentile', 380);
}

function histogramChart(arms: readonly ArmLatency[]): Html {
  const series = arms.map(({ name, mark, histogram }) => ({
    name,
    type: 'line' as const,
    step: 'middle' as const,
    ...lineStyle(mark),
    symbolSize: 7,
    data: sharesByLatency(histogram),
  }));
  const option = {
    legend,
    xAxis: axis('latency in ms (log)', false, { type: 'log' }),
    yAxis: axis('share of the requests, %', true),
    series,
  };
  return drawChart(option, 'Histogram of the latencies', 320);
}

/** Ten buckets a power of ten, from the first to the last that holds anything. */
function sharesByLatency(histogram: ArmLatency['histogram']): [number, number][] {
  const points: [number, number][] = [];
  let before = 0;
  for (let exponent = 0; before < histogram.totalCount; exponent += 1) {
    const upTo = countAtOrBelow(histogram, 10 ** (exponent / 10));
    const share = ((upTo - before) * 100) / histogram.totalCount;
    // Microseconds to milliseconds, and the middle of the bucket on a logarithmic axis.
    if (upTo > 0) points.push([10 ** ((exponent - 0.5) / 10 - 3), Math.round(share * 100) / 100]);
    before = upTo;
  }
  return points;
}
