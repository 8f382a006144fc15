import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { eventEnvelope } from './envelope.ts';
import { receivedMessage } from './received.ts';

/** The contracts that leave the process, by the name of their file in `schemas/`. */
const contracts = { 'event-envelope': eventEnvelope, 'received-webhook': receivedMessage } as const;
export type ContractName = keyof typeof contracts;
export const contractNames = Object.keys(contracts) as ContractName[];

/** Where the committed JSON Schema of a contract lies. */
export function schemaUrl(name: ContractName): URL {
  return new URL(`./schemas/${name}.schema.json`, import.meta.url);
}

/** JSON Schema (draft 2020-12) of a message as it stands in its topic. */
export function contractJsonSchema(name: ContractName): string {
  return `${JSON.stringify(z.toJSONSchema(contracts[name], { target: 'draft-2020-12', io: 'input' }), null, 2)}\n`;
}

/** Writes the committed files. */
export function writeContractSchemas(): void {
  for (const name of contractNames) writeFileSync(schemaUrl(name), contractJsonSchema(name));
}

if (import.meta.main) writeContractSchemas();
