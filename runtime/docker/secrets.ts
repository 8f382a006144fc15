import { randomBytes } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { generatePassword, generateSecrets } from '../native/credentials.ts';

/** Every secret that the compose files ask for; safe in URLs, in SQL and unquoted in an environment file. */
export function makeSecrets(): Record<string, string> {
  const { silvergate, stripe, adyen, accessTokens } = generateSecrets();
  const passwords = [
    'POSTGRES_PASSWORD',
    'REPLICATION_PASSWORD',
    'LAB_API_PASSWORD',
    'LAB_READER_PASSWORD',
    'LAB_CDC_PASSWORD',
    'LAB_GRAFANA_PASSWORD',
    'LAB_EXPORTER_PASSWORD',
    'CLICKHOUSE_PASSWORD',
    'CLICKHOUSE_GRAFANA_PASSWORD',
    'GRAFANA_ADMIN_PASSWORD',
  ];
  return {
    ...Object.fromEntries(passwords.map((name) => [name, generatePassword()])),
    CURSOR_SECRET: randomBytes(24).toString('base64url'),
    ACCESS_TOKEN_SECRETS: accessTokens,
    WEBHOOK_SECRETS_SILVERGATE: silvergate,
    WEBHOOK_SECRETS_STRIPE: stripe,
    WEBHOOK_SECRETS_ADYEN: adyen,
  };
}

/**
 * Adds to an environment file the secrets that it lacks, and makes it readable for its owner only. What stands there
 * stays: the volumes were made with these passwords.
 * @returns the names of what was added.
 */
export async function writeSecrets(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const present = parseEnvironment(text);
  const missing = Object.entries(makeSecrets()).filter(([name]) => !present[name]);
  if (missing.length > 0) {
    const lines = missing.map(([name, value]) => `${name}=${value}\n`).join('');
    const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
    await writeFile(`${file}.partial`, `${before}${lines}`, { mode: 0o600 });
    await rename(`${file}.partial`, file);
  }
  await chmod(file, 0o600);
  return missing.map(([name]) => name);
}

/** The variables of an environment file: `NAME=value` lines, quotes around a value taken off. */
export function parseEnvironment(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match) variables[match[1]!] = match[2]!.replace(/^(["'])(.*)\1$/, '$2');
  }
  return variables;
}
