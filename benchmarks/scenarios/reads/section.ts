import { type Html, html } from '../../../kernel/html.ts';
import { milliseconds, number, percent } from '../../report/numbers.ts';
import type { View } from '../../report/view.ts';
import { sumPolicies } from './findings.ts';

/** Stale reads and off-load of each routing policy. */
export function readsSection(view: View): Html {
  const policies = sumPolicies(view.document.measurements);
  const first = policies[0];
  if (!first) return html``;
  const rows = policies.map(
    ({ arm, policy, reads, stale, onReplicas, p99Ms }) =>
      html`<tr><th scope="row">${arm}</th><td><code>${policy}</code></td><td>${number(reads)}</td><td><b>${number(stale)}</b></td>
<td>${percent(onReplicas / Math.max(reads, 1))}</td><td>${milliseconds(p99Ms)}</td></tr>`,
  );
  return html`<section><h2>Reads and routing policies</h2>
<p>Sessions write an order now and then (5 of 100 requests) and read what they have written, alone or with its events. A read is
stale when it does not show the session’s own acknowledged write. ${
    first.replicas > 0 ? `The replicas apply each commit ${first.delayMs} ms late.` : 'There is no replica.'
  }</p>
<div class="scroll"><table><thead><tr><th>arm</th><th>policy</th><th>reads</th><th>stale</th><th>from replicas</th><th>p99, highest round</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<p class="note">Latencies are those of a closed loop of sessions that wait for their answers: for comparing the policies, not for capacity.</p></section>`;
}
