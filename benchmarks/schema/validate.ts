import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { ownArmsScenarios, topologyScenarios, turnKinds } from '../scenarios/registry.ts';
import type { OwnDocument } from './own-document.ts';
import type { ResultDocument } from './result.ts';
import { type RunDocument, runDocumentOf } from './run.ts';

const schemaUrl = new URL('./run.schema.json', import.meta.url);

/** The schema of a run's document: a comparison of topologies, with the CDC engines behind it where it has them. */
export const runDocument = runDocumentOf([...topologyScenarios.map(({ name }) => name), 'freshness'], turnKinds);

/**
 * Checks a document against the committed JSON Schema, the one that readers in other languages use.
 * @throws Error that lists what is wrong.
 */
export async function checkRunDocument(document: unknown): Promise<RunDocument> {
  // Formats (dates) are checked by who writes them; without this, ajv warns that it knows none.
  const ajv = new Ajv2020({ allErrors: true, validateFormats: false });
  const validate = ajv.compile(JSON.parse(await readFile(schemaUrl, 'utf8')));
  if (validate(document)) return document as RunDocument;
  const lines = (validate.errors ?? []).map((error) => `  ${error.instancePath || '/'} ${error.message}`);
  throw new Error(`This is no result document of the lab:\n${lines.join('\n')}`);
}

/** Checks a document of any kind. @throws Error that lists what is wrong. */
export async function checkDocument(document: unknown): Promise<ResultDocument> {
  const scenario = ownArmsScenarios.find(({ name }) => name === (document as Partial<OwnDocument> | null)?.scenario);
  if (!scenario) return checkRunDocument(document);
  const { error, data } = scenario.document.safeParse(document);
  if (error) throw new Error(`This is no result document of the lab:\n${z.prettifyError(error)}`);
  return data;
}

/** The JSON Schema (draft 2020-12) of a run's document, as `run.schema.json` holds it. */
export function runJsonSchema(): string {
  const schema = z.toJSONSchema(runDocument, { target: 'draft-2020-12' });
  return `${JSON.stringify({ ...schema, title: 'A run of the payments scaling lab' }, null, 2)}\n`;
}
