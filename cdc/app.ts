import { type Express, Router } from 'express';
import { type BackgroundAppParts, createBackgroundApp } from '../kernel/http/background-app.ts';
import { sendData } from '../kernel/http/envelope.ts';
import { methodNotAllowed } from '../kernel/http/middleware.ts';
import type { Engine } from '../stream/engine.ts';
import type { Recorder } from './recorder.ts';
import { freshnessStage, slowestStage } from './stages.ts';

export interface AppParts extends BackgroundAppParts {
  engineName: string;
  engine: Pick<Engine, 'status'>;
  recorder: Recorder;
  nowMs(): number;
  /** The reason of the alarm, once there is one. */
  alarm(): string | null;
}

/** Health, metrics and the state of the pipeline. Nothing can be changed over HTTP. */
export function createApp(parts: AppParts): Express {
  return createBackgroundApp(parts, statusRouter(parts));
}

/** GET /status: where the engine stands and how long events take, over the last one to two minutes. */
function statusRouter(parts: AppParts): Router {
  const router = Router();
  router
    .route('/status')
    .get((_request, response) => sendData(response, 'cdc_status', pipelineStatus(parts)))
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

function pipelineStatus({ engine, engineName, recorder, alarm, nowMs }: AppParts) {
  const status = engine.status();
  const stages = recorder.stages();
  return {
    engine: engineName,
    state: status.state,
    alarm: alarm(),
    events: recorder.events,
    lag_ms: status.oldestPendingMs === undefined ? 0 : Math.max(0, Math.round(nowMs() - status.oldestPendingMs)),
    freshness_ms: recorder.freshnessMs === undefined ? null : Math.round(recorder.freshnessMs),
    newest_sunk_commit_ms: recorder.newestSunkCommitMs ?? null,
    slot_lag_bytes: status.lagBytes ?? null,
    slot_wal_status: status.walStatus ?? null,
    confirmed_lsn: status.confirmedLsn ?? null,
    consumer_lag: status.consumerLag ?? null,
    stages,
    freshness: stages[freshnessStage] ?? null,
    slow_stage: slowestStage(stages) ?? null,
  };
}
