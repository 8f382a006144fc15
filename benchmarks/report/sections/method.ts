import { type Html, html } from '../../../kernel/html.ts';
import type { View } from '../view.ts';

/** How it was measured, and what that can't show. */
export function methodSection(view: View): Html {
  const { document, arms } = view;
  const together = arms.some(({ result }) => result.memory.includes('servers'));
  return html`<section><h2>Method and limits</h2><ul>
<li>Open model: requests start on schedule whether or not earlier ones have been answered, and latency counts from the intended start. The closed loop only estimates where to look.</li>
<li>A rate counts when a whole hold of it kept p99 ≤ 100 ms with at most 0.1 % errors; the figure is what was acknowledged by the last answer, not what was offered.</li>
<li>A webhook is acknowledged after its transaction was committed and synced to disk (<code>fsync</code> and <code>synchronous_commit</code> are on).</li>
<li>Rounds of the arms are interleaved and each round begins with another arm; the same seed gives every arm the same bytes; all arms have the same memory.</li>
<li>In each round the control has a second turn. What it differs from itself is the smallest difference that this machine can show; no smaller one is claimed.</li>
<li>The load generator shares the machine with what it measures. A round in which it was late or saturated is discarded.</li>
<li>Only ratios from one run are to be quoted: another machine, or the same one on another day, has other absolute numbers.</li>
<li>The data is small and fits into memory, cold queries aside; what a database of many times the memory does is not shown here.</li>
${together && html`<li>Primary and replica share the cores and the memory of one machine. On two machines the primary would keep what the replica takes here.</li>`}
<li>Seeded by ${document.seed}; ${document.rounds} rounds. With few rounds an interval is little more than the range of what was seen.</li></ul></section>`;
}

/** What does not count, and what could not run. */
export function discardedSection(view: View): Html {
  const rounds = view.discarded.map(
    (entry) => html`<li>${entry.scenario}, round ${entry.round}, ${entry.arm}: ${entry.reasons.join('; ')}</li>`,
  );
  const arms = view.arms.flatMap(({ result }) =>
    result.reasons.map((reason) => html`<li><b>${result.name}</b> does not count: ${reason}</li>`),
  );
  const engines = view.document.freshness?.absent ?? [];
  const absent = [
    ...view.document.absent,
    ...engines.map(({ engine, reason }) => ({ name: `freshness by ${engine}`, reason })),
  ].map(({ name, reason }) => html`<li>${name} is not here: ${reason}</li>`);
  const none =
    rounds.length + arms.length === 0 ? html`<p>No round had to be discarded.</p>` : html`<ul>${arms}${rounds}</ul>`;
  return html`<section><h2>Discarded and absent</h2>${none}${absent.length > 0 && html`<ul>${absent}</ul>`}</section>`;
}
