import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { metricsOf } from '../compare/metrics.ts';
import { ingestRate } from '../scenarios/ingest/metrics.ts';
import type { OwnDocument } from '../schema/own-document.ts';
import type { RunDocument } from '../schema/run.ts';

/** Writes a short page about the run to docs/results, to be committed. @returns its file */
export async function savePage(document: RunDocument): Promise<string> {
  const tool = document.arms.find(({ topology }) => topology === null);
  return write(`${document.scenarios.join('-')}${tool ? `-against-${tool.name}` : ''}`, page(document));
}

/** Writes what a command printed to docs/results, with the command and the machine. @returns its file */
export async function saveOwnPage(document: OwnDocument, title: string, text: string): Promise<string> {
  const { scenario, command, startedAt, environment } = document;
  return write(
    scenario,
    `# ${title}

\`\`\`
${text}
\`\`\`

\`npx lab ${command}\` on ${startedAt.slice(0, 10)}, commit ${environment.commit ?? 'unknown'}: ${environment.cpu},
${environment.cores} cores that the load generator shares, ${environment.platform}, Node ${environment.node}.

Absolute numbers belong to this machine and this hour; only the ratios are meant to be quoted.
`,
  );
}

async function write(name: string, text: string): Promise<string> {
  const directory = path.resolve(import.meta.dirname, '../../docs/results');
  await mkdir(directory, { recursive: true });
  const file = path.join(directory, `${name}.md`);
  await writeFile(file, text);
  return file;
}

function page(document: RunDocument): string {
  const { environment, arms, measurements } = document;
  const rounds = measurements.map((entry) => {
    const rate = metricsOf(entry)[ingestRate];
    const numbers = rate === undefined ? '–' : Math.round(rate).toLocaleString('en-US');
    return `| ${entry.round} | ${entry.position} | ${entry.arm} | ${numbers} | ${entry.verdict} | ${entry.reasons.join('; ') || '–'} |`;
  });
  return `# ${document.conclusion}

${document.verdict}${document.reasons.length > 0 ? `: ${document.reasons.join('; ')}` : ''}.

${document.findings.map((finding) => `- ${finding}`).join('\n')}

| round | turn | arm | a second | verdict | why |
|---|---|---|---|---|---|
${rounds.join('\n')}

## How it was measured

\`npx lab ${document.command}\` on ${document.startedAt.slice(0, 10)}, commit ${environment.commit ?? 'unknown'}:
${environment.cpu}, ${environment.cores} cores that the load generator shares, ${environment.platform}, Node ${environment.node}.

${arms.map((arm) => `- **${arm.name}**: ${arm.description}; PostgreSQL ${arm.postgres.version} (${arm.postgres.kind}), ${arm.memory}`).join('\n')}

Turns alternate, every arm begins as often as the other as far as the number of rounds allows, and each turn starts
after a checkpoint. The rate of \`ingest\` is the highest that an open model held for two seconds with p99 ≤ 100 ms
from the intended start, over HTTP with signatures, durable before the answer, and with the generator's CPU on the same
cores. Ratios are taken round by round; intervals are 95 % t intervals of their logarithm, from five rounds on. Absolute numbers belong to this machine and
this hour; only the ratios are meant to be quoted.
`;
}
