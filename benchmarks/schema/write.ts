import { writeFile } from 'node:fs/promises';
import { runJsonSchema } from './validate.ts';

/** Writes the committed JSON Schema anew: `node benchmarks/schema/write.ts`. */
if (import.meta.main) await writeFile(new URL('./run.schema.json', import.meta.url), runJsonSchema());
