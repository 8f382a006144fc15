import type { SupervisorRequest } from './supervisor-request.ts';
import { SystemConversion } from './system-conversion.ts';
import type { SystemOptions } from './system-options.ts';
import { SystemPromotion } from './system-promotion.ts';
import type { SystemState } from './system-state.ts';

export interface RequestHandlerDeps extends Pick<SystemOptions, 'settings' | 'synchronous' | 'promotion'> {
  runDirectory: string;
  state: SystemState;
  progress: (line: string) => void;
}

/** Leads each request to what does it. */
export function createRequestHandler(deps: RequestHandlerDeps): (request: SupervisorRequest) => Promise<void> {
  const { runDirectory, settings, state, progress } = deps;
  const { deployment, parts, prometheus, watch } = state;
  const { api, payments, cdcProcess, notifications, pgbouncer } = parts;
  const conversion = new SystemConversion({
    deployment,
    runDirectory,
    settings,
    api,
    payments,
    readers: [cdcProcess, notifications],
    prometheus,
    progress,
  });
  const promotion = new SystemPromotion({
    deployment,
    steps: deps.promotion,
    synchronous: deps.synchronous ?? false,
    api,
    pgbouncer,
    progress,
  });
  return async (request) => {
    switch (request.type) {
      case 'restart_part':
        return watch.restart(request.part);
      case 'stop_part':
        return watch.stop(request.part);
      case 'promote':
        return promotion.promote(request.replica, request.rebuild);
      case 'rebuild_part':
        return promotion.rebuild(request.part);
      default:
        return conversion.handle(request);
    }
  };
}
