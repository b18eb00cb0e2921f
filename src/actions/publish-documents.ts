import { endpointOf } from '../peers/daemon-url.js';
import { type ActionContext, daemonOf } from './action-context.js';

/**
 * Leaves documents at every daemon that the chain knows, so that they can be read when this machine is away. They are in the local store
 * already; a daemon that cannot be reached is named, not a failure.
 */
export async function publishDocuments(
  context: ActionContext,
  documents: readonly object[],
): Promise<{ pinnedAt: string[]; failedAt: string[] }> {
  const organizations = await context.index.read((index) => index.organizations());
  const pinnedAt: string[] = [];
  const failedAt: string[] = [];
  await Promise.all(
    organizations.map(async (organization) => {
      try {
        const url = endpointOf(undefined, organization.url);
        if (url === undefined) return;
        await daemonOf(context, organization.address, url).pinDocuments(documents);
        pinnedAt.push(url.href);
      } catch {
        failedAt.push(organization.url);
      }
    }),
  );
  return { pinnedAt, failedAt };
}
