import { z } from 'zod';
import { cursorMaxLength } from './cursor.ts';
import type { Page } from './envelope.ts';

/** A whole number from 1 to `max` in a query, written in plain digits, such as the `limit` of a list. */
export function pageLimit(max: number, standard: number) {
  return z
    .string()
    .regex(/^[0-9]{1,9}$/, 'must be digits only')
    .transform(Number)
    .refine((value) => value >= 1 && value <= max, `must be between 1 and ${max}`)
    .default(standard)
    .meta({ type: 'integer', minimum: 1, maximum: max, default: standard });
}

export const pageCursor = z.string().optional().meta({
  description: 'page.next_cursor of the page before; with the same filters and the same sort.',
  pattern: '^[A-Za-z0-9_-]+$',
  minLength: 1,
  maxLength: cursorMaxLength,
});

/** Of a list that one page holds as a whole. */
export const onlyPage: Page = { has_more: false, next_cursor: null };

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
