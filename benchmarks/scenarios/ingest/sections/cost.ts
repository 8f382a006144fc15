import { type Html, html } from '../../../../kernel/html.ts';
import { armAxis, axis, drawChart } from '../../../report/charts.ts';
import { bytes, number } from '../../../report/numbers.ts';
import type { View } from '../../../report/view.ts';
import { median } from '../../../statistics/summary.ts';
import type { IngestData } from '../data.ts';
import { ingestTurn, systemComponents } from '../metrics.ts';

type PhaseName = 'peak' | 'half';

/** What a webhook costs, component by component. */
export function costSection(view: View): Html {
  if (!view.arms.some(({ result }) => view.rounds(ingestTurn, result.name).length > 0)) return html``;
  const rows = view.arms.flatMap(({ result, mark }) =>
    (['peak', 'half'] as const).map((phase) => {
      const rounds = view.rounds(ingestTurn, result.name);
      const of = (component: string) => middle(rounds, (data) => cpuUs(data, phase, component));
      const total = middle(rounds, (data) => systemComponents.reduce((sum, name) => sum + cpuUs(data, phase, name), 0));
      const wal = middle(rounds, (data) => data[phase].walBytes / Math.max(1, data[phase].acknowledged));
      return html`<tr><th scope="row"><span style="color:${mark.colour}">${mark.character}</span> ${result.name}</th>
<td>${phase === 'peak' ? 'highest rate' : 'half of it'}</td>${systemComponents.map((name) => html`<td>${number(of(name))}</td>`)}
<td><b>${number(total)}</b></td><td>${number(of('generator'))}</td><td>${number(wal)}</td></tr>`;
    }),
  );
  const checkpoints = view.arms.map(({ result }) => {
    const rounds = view.rounds(ingestTurn, result.name);
    const count = rounds.reduce((sum, data) => sum + data.checkpoints.requested + data.checkpoints.timed, 0);
    const disk = middle(rounds, (data) => data.diskGrowthBytes / Math.max(1, data.acknowledged));
    return html`<tr><th scope="row">${result.name}</th><td>${number(disk)}</td><td>${bytes(result.dataset.databaseBytes)}</td><td>${count}</td></tr>`;
  });
  return html`<section><h2>Cost of a webhook</h2>
<figure>${cpuChart(view)}<figcaption>CPU time of the measured system for one webhook at the highest rate. The load generator is not part of it.</figcaption></figure>
<div class="scroll"><table><thead><tr><th></th><th>at</th>${systemComponents.map((name) => html`<th>${name}<small>µs CPU</small></th>`)}
<th>system<small>µs CPU</small></th><th>generator<small>µs CPU</small></th><th>WAL<small>bytes</small></th></tr></thead><tbody>${rows}</tbody></table></div>
<div class="scroll"><table><thead><tr><th></th><th>disk<small>bytes a webhook</small></th><th>database<small>at the end</small></th><th>checkpoints<small>all rounds</small></th></tr></thead>
<tbody>${checkpoints}</tbody></table></div>
<p class="note">At half of the rate fewer webhooks share a commit, so each costs more. A streaming replica here runs on the same machine, and its CPU time counts.</p></section>`;
}

function cpuUs(data: IngestData, phase: PhaseName, component: string): number {
  return ((data[phase].cpuSeconds[component] ?? 0) * 1e6) / Math.max(1, data[phase].acknowledged);
}

function middle(rounds: readonly IngestData[], of: (data: IngestData) => number): number | undefined {
  return rounds.length === 0 ? undefined : median(rounds.map(of));
}

/** Shades of one grey would do for three parts; these differ in lightness as well as in colour. */
const componentColours = { api: '#56b4e9', postgres: '#004c73', replica: '#f0e442' } as const;

function cpuChart(view: View): Html {
  const names = view.arms.map(({ result }) => result.name);
  const series = systemComponents.map((component) => ({
    name: component,
    type: 'bar' as const,
    stack: 'cpu',
    barWidth: '48%',
    itemStyle: { color: componentColours[component], borderColor: '#ffffff', borderWidth: 1 },
    data: names.map((name) =>
      Math.round(middle(view.rounds(ingestTurn, name), (data) => cpuUs(data, 'peak', component)) ?? 0),
    ),
    label: {
      show: true,
      color: component === 'postgres' ? '#ffffff' : '#1d2733',
      formatter: (point: { value: unknown }) => (Number(point.value) > 8 ? `${component} ${point.value}` : ''),
    },
  }));
  const option = {
    grid: { left: 110, right: 40, top: 14, bottom: 54 },
    xAxis: axis('CPU microseconds a webhook', false, { min: 0 }),
    yAxis: armAxis(names),
    series,
  };
  return drawChart(option, 'CPU time of a webhook by component', 90 + 58 * names.length);
}
