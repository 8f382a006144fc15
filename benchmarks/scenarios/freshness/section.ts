import { type Html, html } from '../../../kernel/html.ts';
import { axis, drawChart, legend, lineStyle } from '../../report/charts.ts';
import { markOf } from '../../report/marks.ts';
import { milliseconds, number } from '../../report/numbers.ts';
import { backlogNote, type EngineFreshness, type FreshnessDocument } from './document.ts';

/** Accepted → visible in ClickHouse: both CDC engines side by side, and the lag while the load ran. */
export function freshnessSection({ engines, absent, targets, topology }: FreshnessDocument): Html {
  if (engines.length === 0) return html``;
  return html`<section><h2>Freshness of the analytics (${topology})</h2>
<div class="scroll"><table><thead><tr><th>engine</th><th>verdict</th><th>load<small>webhooks/s</small></th><th>p50</th><th>p99</th><th>slowest stage</th><th>backlog<small>events</small></th><th>drain<small>events/s</small></th><th>audit</th></tr></thead>
<tbody>${engines.map(row)}</tbody></table></div>
<figure>${lagChart(engines)}<figcaption>From the client’s acknowledgement until a query of ClickHouse found the event, at half of the highest rate: the slowest sample of each half second. A sample is late by up to ${milliseconds(engines[0]!.steady.probePauseMs)} for the pause between two looks.</figcaption></figure>
<ul>${targets.map(({ what, target, measured, met }) => html`<li>${met ? '✓' : '✗'} ${what}: ${measured}, target ${target}</li>`)}
${engines.flatMap(({ engine, reasons }) => reasons.map((reason) => html`<li>${engine} does not count: ${reason}</li>`))}
${absent.map(({ engine, reason }) => html`<li>Not measured: ${engine}, because ${reason}</li>`)}</ul>
<p>${backlogNote}</p></section>`;
}

function row({ engine, verdict, load, steady, drain, audit }: EngineFreshness): Html {
  const good = (yes: boolean) => (yes ? 'good' : 'bad');
  return html`<tr><th scope="row">${engine}</th><td class="${good(verdict === 'VALID')}">${verdict}</td><td>${number(load.rate)}</td>
<td>${milliseconds(steady.latency.p50Ms)}</td><td>${milliseconds(steady.latency.p99Ms)}</td><td>${steady.slowStage.replaceAll('_', ' ')}</td>
<td>${number(drain.backlog)}</td><td>${number(drain.eventsPerSecond)}</td><td class="${good(audit.ok)}">${audit.ok ? '✓ clean' : '✗ broken'}</td></tr>`;
}

function lagChart(engines: readonly EngineFreshness[]): Html {
  const series = engines.map(({ engine, steady }, at) => ({
    name: engine,
    type: 'line' as const,
    ...lineStyle(markOf(at)),
    symbolSize: 6,
    data: steady.lag.map(({ atS, maxMs }) => [atS, maxMs]),
  }));
  const option = {
    legend,
    xAxis: axis('seconds since the load began', false),
    yAxis: axis('accepted → visible, ms (log)', true, { type: 'log' }),
    series,
  };
  return drawChart(option, 'Lag of the analytics over time', 320);
}
