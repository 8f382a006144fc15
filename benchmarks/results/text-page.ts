import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Environment } from '../schema/environment.ts';

export interface TextPage {
  /** Of the file in docs/results, without its ending. */
  name: string;
  title: string;
  /** As the command printed it. */
  text: string;
  command: string;
  startedAt: string;
  environment: Environment;
}

/** Writes what a command printed to docs/results, to be committed, with the command and the machine. @returns its file */
export async function saveTextPage(page: TextPage): Promise<string> {
  const { name, title, text, command, startedAt, environment } = page;
  const directory = path.resolve(import.meta.dirname, '../../docs/results');
  await mkdir(directory, { recursive: true });
  const file = path.join(directory, `${name}.md`);
  await writeFile(
    file,
    `# ${title}

\`\`\`
${text}
\`\`\`

\`npx lab ${command}\` on ${startedAt.slice(0, 10)}, commit ${environment.commit ?? 'unknown'}: ${environment.cpu},
${environment.cores} cores that the load generator shares, ${environment.platform}, Node ${environment.node}.

Absolute numbers belong to this machine and this hour; only the ratios are meant to be quoted.
`,
  );
  return file;
}
