export type Environment = Record<string, string | undefined>;

/** This folder is the only one that reads `process.env`; all other code gets a validated object. */
export function processEnvironment(): Environment {
  return process.env;
}
