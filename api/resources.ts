import type { Router } from 'express';
import { registerAnalyticsPaths } from './analytics/paths.ts';
import { type AnalyticsDeps, analyticsRouter } from './analytics/router.ts';
import { registerDisputePaths } from './disputes/paths.ts';
import { type DisputesDeps, disputesRouter } from './disputes/router.ts';
import { registerEventPaths } from './events/paths.ts';
import { type EventsDeps, eventsRouter } from './events/router.ts';
import type { LedgerDeps } from './ledger/deps.ts';
import { registerLedgerPaths } from './ledger/paths.ts';
import { ledgerRouter } from './ledger/router.ts';
import { registerNotificationPaths } from './notifications/paths.ts';
import { type NotificationsDeps, notificationsRouter } from './notifications/router.ts';
import type { PathRegistration } from './openapi/describe.ts';
import { registerOrderPaths } from './orders/paths.ts';
import { type OrdersDeps, ordersRouter } from './orders/router.ts';
import { registerPaymentPaths } from './payments/paths.ts';
import { paymentsRouter } from './payments/router.ts';
import type { AccessDeps } from './users/access.ts';
import { registerUserPaths } from './users/paths.ts';
import { accessRouter, type UsersDeps, usersRouter } from './users/router.ts';

/** The routers below /api/v1 that take requests without an access token: how else would a client get one? */
export function openResources(deps: AccessDeps): Router[] {
  return [accessRouter(deps)];
}

/** Every other router below /api/v1. The tests mount the same list, and compare it with the OpenAPI document. */
export function apiResources(
  deps: OrdersDeps & DisputesDeps & EventsDeps & LedgerDeps & AnalyticsDeps & UsersDeps & NotificationsDeps,
): Router[] {
  return [
    usersRouter(deps),
    ordersRouter(deps),
    disputesRouter(deps),
    eventsRouter(deps),
    ledgerRouter(deps),
    paymentsRouter(deps),
    analyticsRouter(deps),
    notificationsRouter(deps),
  ];
}

/** What these routers serve, for the OpenAPI document. */
export const resourcePaths: readonly PathRegistration[] = [
  registerUserPaths,
  registerOrderPaths,
  registerDisputePaths,
  registerEventPaths,
  registerLedgerPaths,
  registerPaymentPaths,
  registerAnalyticsPaths,
  registerNotificationPaths,
];
