import type { Router } from 'express';
import { type DisputesDeps, disputesRouter } from './disputes/router.ts';
import { type EventsDeps, eventsRouter } from './events/router.ts';
import { type OrdersDeps, ordersRouter } from './orders/router.ts';

/** Every router below /api/v1. The tests mount the same list, and compare it with the OpenAPI document. */
export function apiResources(deps: OrdersDeps & DisputesDeps & EventsDeps): Router[] {
  return [ordersRouter(deps), disputesRouter(deps), eventsRouter(deps)];
}
