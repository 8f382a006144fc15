import { z } from 'zod';
import type { Page } from './envelope.ts';

/** The `limit` of a list: 1 to `max`, written in plain digits. */
export function pageLimit(max: number, standard: number) {
  return z
    .string()
    .regex(/^[0-9]{1,9}$/, 'must be digits only')
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, `must be between 1 and ${max}`)
    .default(standard)
    .meta({ type: 'integer', minimum: 1, maximum: max, default: standard });
}

export const pageCursor = z.string().optional().meta({ description: 'page.next_cursor of the page before.' });

/** Cuts `rows`, of which one more than `limit` was read, to a page. */
export function toPage<Row>(
  rows: Row[],
  limit: number,
  cursorAfter: (last: Row) => string,
): { rows: Row[]; page: Page } {
  const hasMore = rows.length > limit;
  const shown = hasMore ? rows.slice(0, limit) : rows;
  const last = shown.at(-1);
  return { rows: shown, page: { has_more: hasMore, next_cursor: hasMore && last ? cursorAfter(last) : null } };
}
