import { z } from 'zod';

export const digest = z
  .string()
  .optional()
  .meta({ description: 'SHA-256 over everything else; absent in results of before there was one' });
