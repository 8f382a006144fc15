import type { RunDocument } from '../schema/run.ts';

/** Tag of all of them: the dashboards of `grafana/` ask for it. */
const benchmarkTag = 'payments-lab-benchmark';

/** As `POST /api/annotations` takes it: https://grafana.com/docs/grafana/latest/developers/http_api/annotations/ */
export interface Annotation {
  /** Unix ms. */
  time: number;
  timeEnd: number;
  tags: string[];
  text: string;
}

/** One annotation for each turn of a benchmark: the span in which one arm was measured. */
export function annotationsOf({ id, measurements }: RunDocument): Annotation[] {
  return measurements.map(({ scenario, arm, round, startedAt, durationS, verdict, reasons }) => {
    const time = Date.parse(startedAt);
    const result = verdict === 'VALID' ? verdict : `${verdict}: ${reasons.join('; ')}`;
    return {
      time,
      timeEnd: time + Math.round(durationS * 1000),
      tags: [benchmarkTag, runTag(id), scenario, arm],
      text: `${scenario} on ${arm}, round ${round}: ${result}`,
    };
  });
}

function runTag(id: string): string {
  return `run:${id}`;
}

/**
 * Writes the annotations of a run to Grafana, unless they are there already.
 * @param grafana Base URL with user and password, or with a service account's token as password and no user.
 * @returns how many were written
 * @throws Error with Grafana's answer when it refuses
 */
export async function annotate(grafana: URL, document: RunDocument): Promise<number> {
  const base = `${grafana.origin}${grafana.pathname.replace(/\/$/, '')}/api/annotations`;
  const headers = { 'content-type': 'application/json', ...authorization(grafana) };
  const query = new URLSearchParams({ tags: benchmarkTag, type: 'annotation', limit: '1' });
  query.append('tags', runTag(document.id));
  const known = (await ask(`${base}?${query}`, { headers })) as unknown[];
  if (known.length > 0) return 0;
  const annotations = annotationsOf(document);
  for (const annotation of annotations) {
    await ask(base, { method: 'POST', headers, body: JSON.stringify(annotation) });
  }
  return annotations.length;
}

async function ask(url: string, request: RequestInit): Promise<unknown> {
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(10_000) }).catch((error) => {
    throw new Error(`Grafana does not answer at ${new URL(url).origin}: ${error.cause?.message ?? error.message}`);
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Grafana answered ${response.status}: ${text.slice(0, 200)}`);
  return JSON.parse(text);
}

function authorization({ username, password }: URL): Record<string, string> {
  if (!password) return {};
  if (!username) return { authorization: `Bearer ${decodeURIComponent(password)}` };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}
