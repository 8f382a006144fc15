import type { Router } from 'express';
import { type AnalyticsDeps, analyticsRouter } from './analytics/router.ts';
import { type DisputesDeps, disputesRouter } from './disputes/router.ts';
import { type EventsDeps, eventsRouter } from './events/router.ts';
import { type OrdersDeps, ordersRouter } from './orders/router.ts';

/** Every router below /api/v1. The tests mount the same list, and compare it with the OpenAPI document. */
export function apiResources(deps: OrdersDeps & DisputesDeps & EventsDeps & AnalyticsDeps): Router[] {
  return [ordersRouter(deps), disputesRouter(deps), eventsRouter(deps), analyticsRouter(deps)];
}
