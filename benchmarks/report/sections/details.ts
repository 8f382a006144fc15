import { type Html, html } from '../../../kernel/html.ts';
import { bytes, number, percent } from '../numbers.ts';
import type { View } from '../view.ts';

/** The audit of each arm, one row an invariant. */
export function auditSection(view: View): Html {
  const audited = view.arms.filter(({ result }) => result.audit !== null);
  const [first] = audited;
  if (!first) return html`<section><h2>Audit</h2><p>This run was not audited.</p></section>`;
  const rows = first.result.audit!.invariants.map(({ id, title }) => {
    const cells = audited.map(({ result }) => {
      const found = result.audit!.invariants.find((invariant) => invariant.id === id)!;
      const detail = found.note ?? `${number(found.checked)} checked`;
      return html`<td class="${found.ok ? 'good' : 'bad'}">${found.ok ? '✓' : `✗ ${found.violations}`} <small>${detail}</small></td>`;
    });
    return html`<tr><th scope="row">${id}<small>${title}</small></th>${cells}</tr>`;
  });
  const broken = audited.flatMap(({ result }) =>
    result.audit!.invariants.flatMap(({ id, examples }) =>
      examples.map((example) => html`<li>${result.name}, ${id}: <code>${example}</code></li>`),
    ),
  );
  return html`<section><h2>Audit</h2><div class="scroll"><table><thead><tr><th></th>${audited.map(({ result }) => html`<th>${result.name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>${broken.length > 0 && html`<ul>${broken}</ul>`}
<p class="note">After the rounds every webhook that the client noted as acknowledged is looked up, with the hash of its body. A run counts only when nothing was lost, doubled or reordered.</p></section>`;
}

/** Plans of the queries and the dearest statements, folded away. @param plans what the scenarios have to show */
export function plansSection(view: View, plans: Html[]): Html {
  const statements = view.arms
    .filter(({ result }) => result.topStatements.length > 0)
    .map(({ result }) => {
      const rows = result.topStatements.map(
        (entry) =>
          html`<tr><td><code>${entry.query}</code></td><td>${number(entry.calls)}</td><td>${number(entry.totalMs)}</td><td>${number(entry.meanMs, 3)}</td><td>${bytes(entry.walBytes)}</td></tr>`,
      );
      return html`<details><summary>Dearest statements on ${result.name}</summary><div class="scroll"><table><thead><tr><th>statement</th><th>calls</th><th>total ms</th><th>mean ms</th><th>WAL</th></tr></thead><tbody>${rows}</tbody></table></div></details>`;
    });
  if (plans.length + statements.length === 0) return html``;
  return html`<section><h2>Plans and statements</h2>${plans}${statements}</section>`;
}

/** What older results don't know is left out. */
function describeHost(environment: View['document']['environment']): [string, string][] {
  const { fileSystem, device, syncMs, virtualisation, loadAverage, loadAverageAfter } = environment;
  if (fileSystem === undefined) return [['load at the end', String(loadAverage)]];
  return [
    [
      'disk',
      `${fileSystem} on ${device ?? 'a device that can’t be told'}; 8 KiB are synced in ${number(syncMs, 2)} ms`,
    ],
    ['virtualisation', virtualisation ?? 'unknown'],
    ['load average', `${loadAverage} before the run, ${loadAverageAfter ?? '–'} behind it`],
  ];
}

/** Where the numbers come from. */
export function environmentSection(view: View): Html {
  const { environment, command, startedAt, finishedAt } = view.document;
  const minutes = (Date.parse(finishedAt) - Date.parse(startedAt)) / 60_000;
  const facts = [
    ['command', `lab ${command}`],
    ['when', `${startedAt.replace('T', ' ').slice(0, 19)} UTC, ${number(minutes, 1)} minutes`],
    ['commit', environment.commit ?? 'not from a clone'],
    [
      'machine',
      `${environment.cpu}, ${environment.cores} cores, ${bytes(environment.memoryBytes)}, ${environment.platform}`,
    ],
    ['runtime', `Node ${environment.node}`],
    ...describeHost(environment),
  ].map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`);
  const arms = view.arms.map(({ result, mark }) => {
    const { dataset } = result;
    const settings = Object.entries(result.settings).map(([name, value]) => `${name} = ${value}`);
    return html`<tr><th scope="row"><span style="color:${mark.colour}">${mark.character}</span> ${result.name}</th><td>${result.description}<small>PostgreSQL ${result.postgres.version} (${result.postgres.kind}), ${result.memory}; ${number(dataset.deliveries)} deliveries, ${bytes(dataset.databaseBytes)} of data,
shared buffers hold ${percent(Math.min(1, dataset.cacheRatio))} of it, ${percent(dataset.cacheHitRatio, 1)} of the block requests were hits</small><details><summary>settings</summary><pre>${settings.join('\n')}</pre></details></td></tr>`;
  });
  return html`<section><h2>Environment</h2><table class="facts"><tbody>${facts}</tbody></table><h3>Arms</h3><table class="facts"><tbody>${arms}</tbody></table></section>`;
}
