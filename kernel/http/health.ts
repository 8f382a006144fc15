import { type Request, type Response, Router } from 'express';
import { within } from '../wait.ts';
import { sendData } from './envelope.ts';
import { methodNotAllowed } from './middleware.ts';

export interface Dependency {
  name: string;
  /** Whether the service can do its main job without it. */
  required: boolean;
  /** Resolves when the dependency answers. Never asks for the dependency's own dependencies. */
  check(): Promise<unknown>;
  /** Settings that the answer of `check` tells, as the service's own session has them. */
  settingsOf?(answer: unknown): Record<string, string>;
}

/** GET /health/live says that the process runs; GET /health/ready asks each dependency, with a time limit each. */
export function healthRouter(dependencies: Dependency[], timeoutMs: number): Router {
  const router = Router();
  router
    .route('/health/live')
    .get((_request: Request, response: Response) => sendData(response, 'health', { status: 'live' }))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/health/ready')
    .get(async (_request: Request, response: Response) => {
      const results = await Promise.all(dependencies.map((dependency) => ask(dependency, timeoutMs)));
      const ready = results.every((result) => result.status === 'up' || !result.required);
      const data = { status: ready ? 'ready' : 'not_ready', dependencies: results };
      sendData(response, 'health', data, ready ? 200 : 503);
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

async function ask(dependency: Dependency, timeoutMs: number) {
  const started = performance.now();
  let status: 'up' | 'down' = 'up';
  let settings: Record<string, string> | undefined;
  try {
    const answer = await within(timeoutMs, dependency.check());
    settings = dependency.settingsOf?.(answer);
  } catch {
    status = 'down';
  }
  return {
    name: dependency.name,
    required: dependency.required,
    status,
    latency_ms: Math.round(performance.now() - started),
    ...(settings && { settings }),
  };
}
