import type { Provider } from '../../kernel/providers/provider.ts';
import { registerAnalyticsPaths } from '../analytics/paths.ts';
import { registerDisputePaths } from '../disputes/paths.ts';
import { registerEventPaths } from '../events/paths.ts';
import { registerOrderPaths } from '../orders/paths.ts';
import type { PathRegistration } from './describe.ts';
import { registerServicePaths } from './service-paths.ts';
import { webhookPaths } from './webhook-paths.ts';

/** Every path that the API serves. A test compares this list with the routes that are really mounted. */
export function apiPaths(providers: readonly Provider[]): PathRegistration[] {
  return [
    webhookPaths(providers),
    registerOrderPaths,
    registerDisputePaths,
    registerEventPaths,
    registerAnalyticsPaths,
    registerServicePaths,
  ];
}
