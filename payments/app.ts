import type { Express, Router } from 'express';
import { type BackgroundAppParts, createBackgroundApp } from '../kernel/http/background-app.ts';

export interface AppParts extends BackgroundAppParts {
  confirmations: Router;
}

/** Health, metrics, and what the wallet confirms. */
export function createApp(parts: AppParts): Express {
  return createBackgroundApp(parts, parts.confirmations);
}
