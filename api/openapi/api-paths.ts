import type { Provider } from '../../kernel/providers/provider.ts';
import { resourcePaths } from '../resources.ts';
import type { PathRegistration } from './describe.ts';
import { registerServicePaths } from './service-paths.ts';
import { webhookPaths } from './webhook-paths.ts';

/** Every path that the API serves. A test compares this list with the routes that are really mounted. */
export function apiPaths(providers: readonly Provider[]): PathRegistration[] {
  return [webhookPaths(providers), ...resourcePaths, registerServicePaths];
}
