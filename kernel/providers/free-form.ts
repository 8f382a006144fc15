import { z } from 'zod';
import { controlCharacters } from '../contract/fields.ts';

/** A JSON object of the sender's own, as large as the body may be. */
export const freeFormObject = z.record(z.string(), z.unknown());

/** As many characters as the database takes. */
export const reasonMaxLength = 128;

/** A dispute's reason: short and without control characters. */
export const disputeReason = z
  .string()
  .min(1)
  .max(reasonMaxLength)
  .refine((text) => !/\p{Cc}/u.test(text), 'must not contain control characters')
  .meta({ pattern: `^[^${controlCharacters}]*$` });
