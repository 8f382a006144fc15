import { createHash } from 'node:crypto';
import type { ResultDocument } from '../schema/result.ts';

/** SHA-256 over everything else in the document, whatever the order of its fields: 64 hexadecimal digits. */
export function digestOf(document: ResultDocument): string {
  const content: Record<string, unknown> = JSON.parse(JSON.stringify(document));
  delete content.digest;
  return createHash('sha256')
    .update(JSON.stringify(ordered(content)))
    .digest('hex');
}

/** The document as it is stored: with its digest. */
export function seal<Document extends ResultDocument>(document: Document): Document {
  return { ...document, digest: digestOf(document) };
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, inner]) => [name, ordered(inner)]));
}
