import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TopologyName } from '../../../kernel/topology.ts';

const targets = new URL('../../../grafana/prometheus/targets/', import.meta.url);

/**
 * Tells the others which topology runs: the services by an environment file, Prometheus by the list of what to scrape,
 * beside it. Each file is complete or not there, since its readers may start meanwhile.
 */
export async function announce({ topology, file }: { topology: TopologyName; file: string }): Promise<void> {
  await write(
    path.join(path.dirname(file), 'targets.yml'),
    await readFile(new URL(`${topology}.yml`, targets), 'utf8'),
  );
  await write(file, `TOPOLOGY=${topology}\n`);
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(`${file}.partial`, text, { mode: 0o644 });
  await rename(`${file}.partial`, file);
}
