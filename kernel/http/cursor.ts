import { createHmac, timingSafeEqual } from 'node:crypto';
import { type AppError, fieldRefusal } from './errors.ts';

/** Position after the last row of a page: the values of the sort key, as text that loses no digit. */
export type Position = readonly string[];

/**
 * Opaque page cursors. A cursor carries the position and a MAC over the position, the list and its filters and sort,
 * so that it can neither be made up nor be used with other filters than those that it continues.
 */
export interface Cursors {
  encode(list: string, filters: unknown, position: Position): string;
  /** @throws AppError invalid_cursor for whatever `encode` did not return for the same list and filters. */
  decode(list: string, filters: unknown, cursor: string): Position;
}

const macBytes = 16;
export const cursorMaxLength = 1_024;

/** @param secret The same on every instance of the service, or a page could not be continued on another one. */
export function createCursors(secret: string): Cursors {
  const mac = (list: string, filters: unknown, position: string): Buffer =>
    createHmac('sha256', secret)
      .update(JSON.stringify([list, canonical(filters), position]))
      .digest()
      .subarray(0, macBytes);

  return {
    encode(list, filters, position) {
      const text = JSON.stringify(position);
      return Buffer.concat([mac(list, filters, text), Buffer.from(text)]).toString('base64url');
    },
    decode(list, filters, cursor) {
      if (cursor.length > cursorMaxLength) throw invalidCursor();
      const bytes = Buffer.from(cursor, 'base64url');
      // Buffer.from skips what is not base64url, so two texts could otherwise mean the same cursor.
      if (bytes.length <= macBytes || bytes.toString('base64url') !== cursor) throw invalidCursor();
      const text = bytes.subarray(macBytes).toString('utf8');
      if (!timingSafeEqual(bytes.subarray(0, macBytes), mac(list, filters, text))) throw invalidCursor();
      return JSON.parse(text) as string[];
    },
  };
}

function invalidCursor(): AppError {
  return fieldRefusal(
    'invalid_cursor',
    'cursor',
    'take it from page.next_cursor and repeat the filters and the sort that it came with',
  );
}

/** Filters as a list that does not depend on the order in which they were given; absent ones count as not given. */
function canonical(filters: unknown): unknown {
  if (typeof filters === 'bigint') return `${filters}n`;
  if (Array.isArray(filters)) return filters.map(canonical);
  if (filters instanceof Date) return filters.toISOString();
  if (typeof filters !== 'object' || filters === null) return filters;
  return Object.entries(filters)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, canonical(value)]);
}
