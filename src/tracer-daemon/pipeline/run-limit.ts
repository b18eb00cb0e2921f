import type { RunQuota } from '../store/store.js';
import type { ResolvedRequest } from './stages.js';

const HOUR_MS = 3_600_000;

/** What the leaf's service allows (`runs`), as the store counts it; undefined where it has no limit. */
export function runQuota({ asked, steps }: ResolvedRequest, nowMs: number): RunQuota | undefined {
  const service = steps.find(({ token }) => token === asked.token)?.service;
  if (service?.runs === undefined) return undefined;
  const { limit, perHours, per } = service.runs;
  return {
    token: asked.token,
    // Of all services with this operator: what they tell adds up.
    operator: service.descriptor.template,
    ...(per === 'consumer' && { consumer: asked.signer }),
    since: perHours === undefined ? 0 : nowMs - perHours * HOUR_MS,
    limit,
  };
}
