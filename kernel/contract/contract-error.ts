import { parseJson } from '../json.ts';

/** Why a message of a topic could not be read; it stands in the dead letter's headers. */
export type ContractProblem = 'malformed_json' | 'wrong_version' | 'unknown_type' | 'invalid';

/** A message that no retry will make readable: it belongs into a dead letter topic, with `reason` and `message`. */
export class ContractError extends Error {
  readonly reason: ContractProblem;

  constructor(reason: ContractProblem, message: string) {
    super(message);
    this.name = 'ContractError';
    this.reason = reason;
  }
}

/** A value of a message, for the detail of an error. What is nested may be nested too deep to be written. */
export function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'not a plain value' : String(JSON.stringify(value));
}

/** The text as JSON object, with numbers as they are written. @throws ContractError malformed_json. */
export function parseMessage(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new ContractError('malformed_json', `The message is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ContractError('malformed_json', 'The message is not a JSON object.');
  }
  return value as Record<string, unknown>;
}
