import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { capabilities, type TopologyName } from '../kernel/topology.ts';

export interface Migration {
  /** File name, such as `0040_order_events.sql`; unique within a topology. */
  name: string;
  path: string;
}

/** The folder with `base` and `topologies`. */
export const sqlFolder = import.meta.dirname;
const namePattern = /^[0-9]{4}_[a-z0-9_]+\.sql$/;
/** From this number on a file is a step of one topology alone, such as `0090_distribute.sql`. */
const firstExtraNumber = 90;

/**
 * The topology's migrations in the order in which they run: `base` and the topology's own folder, merged by number.
 * @throws Error when a folder lacks a file that another topology has: a missing file is never replaced by another's.
 */
export async function listMigrations(topology: TopologyName, root = sqlFolder): Promise<Migration[]> {
  const base = await listFolder(root, 'base');
  const own = await listFolder(root, join('topologies', capabilities(topology).schema));
  const names = new Set(own.map((file) => file.name));
  for (const required of await requiredNames(root)) {
    if (!names.has(required)) throw new Error(`sql/topologies/${capabilities(topology).schema} lacks ${required}`);
  }
  for (const file of base) if (names.has(file.name)) throw new Error(`${file.name} stands in base and in a topology`);
  return [...base, ...own].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names that every topology's folder must hold: those that any of them holds, extra steps aside. */
async function requiredNames(root: string): Promise<Set<string>> {
  const folders = await readdir(join(root, 'topologies'));
  const files = await Promise.all(folders.map((folder) => listFolder(root, join('topologies', folder))));
  return new Set(
    files
      .flat()
      .map((file) => file.name)
      .filter((name) => Number(name.slice(0, 4)) < firstExtraNumber),
  );
}

async function listFolder(root: string, folder: string): Promise<Migration[]> {
  const names = await readdir(join(root, folder)).catch(() => {
    throw new Error(`sql/${folder} does not exist: this topology has no schema yet`);
  });
  const wrong = names.find((name) => !namePattern.test(name));
  if (wrong) throw new Error(`sql/${folder}/${wrong}: name it NNNN_words.sql`);
  return names.map((name) => ({ name, path: join(root, folder, name) }));
}
