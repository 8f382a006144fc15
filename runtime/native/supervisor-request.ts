import { z } from 'zod';
import { topologyNames } from '../../kernel/topology.ts';

/**
 * What only the process that supervises a run can do, because servers and services are its children. Every request may
 * be repeated: a client that was killed while it waited asks again.
 */
export const supervisorRequestSchema = z.discriminatedUnion('type', [
  /** Restart the API with this topology, on the cluster where that is one. */
  z.object({ type: z.literal('switch_topology'), topology: z.enum(topologyNames) }),
  /** Start a cluster beside the database, once. */
  z.object({ type: z.literal('start_cluster') }),
  /** End that cluster and remove its data. */
  z.object({ type: z.literal('discard_cluster') }),
  /** Restart change data capture on the database that the API uses. */
  z.object({ type: z.literal('restart_cdc') }),
  /** The conversion is over: forget where it came from. */
  z.object({ type: z.literal('end_conversion') }),
  /** Start a part again, also one that stays down. */
  z.object({ type: z.literal('restart_part'), part: z.string() }),
  /** Stop a part, which stays stopped until it is restarted. */
  z.object({ type: z.literal('stop_part'), part: z.string() }),
  /** Replace the primary, by the replica that is furthest ahead unless one is named; on request make it a replica. */
  z.object({ type: z.literal('promote'), replica: z.string().optional(), rebuild: z.boolean() }),
  /** Make a server that a promotion has left behind a replica. */
  z.object({ type: z.literal('rebuild_part'), part: z.string() }),
]);

export type SupervisorRequest = z.infer<typeof supervisorRequestSchema>;

export const supervisorAnswerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true) }),
  /** With the reason, for people. */
  z.object({ ok: z.literal(false), error: z.string() }),
]);

export type SupervisorAnswer = z.infer<typeof supervisorAnswerSchema>;

/** A request as it came from a client. @throws Error that names what is not known here. */
export function parseRequest(text: string): SupervisorRequest {
  const parsed = supervisorRequestSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Error(`The supervisor does not know the request ${text.slice(0, 200)}`);
}

/** For messages to people, as in `switch_topology partitioned`. */
export function describeRequest(request: SupervisorRequest): string {
  return Object.values(request)
    .filter((value) => typeof value === 'string')
    .join(' ');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
