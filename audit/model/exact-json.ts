/** JSON with integers as bigint, whatever their size: amounts beyond 2^53 keep every digit. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, exactInteger as (key: string, value: unknown) => unknown);
}

/** The third argument is ECMAScript's "JSON.parse source text access", which TypeScript's library does not know yet. */
function exactInteger(_key: string, value: unknown, context: { source?: string }): unknown {
  const { source } = context;
  return typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
