import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Address, Bytes32 } from '../../documents/ids.js';
import type { Ledger, LedgerEvent } from '../../ledger/ledger.js';
import { DaemonClient } from '../../peers/daemon-client.js';
import { parseDaemonUrl } from '../../peers/daemon-url.js';
import { bareHost } from '../../peers/link/link-address.js';
import type { LinkEndpoint } from '../../peers/link/link-dialer.js';
import { type LinkHub, openLinkHub } from '../../peers/link/link-hub.js';
import { openLinkKey } from '../../peers/link/link-key.js';
import type { DaemonConfig } from '../config/config.js';
import { LinkKeyKeeper, type LinkKeyState } from './link-key-keeper.js';
import { LinkLog } from './link-log.js';
import { LinkMetrics } from './link-metrics.js';
import { OrganizationCache } from './organization-cache.js';

export interface LinkOptions {
  readonly config: Pick<DaemonConfig, 'link'>;
  readonly organization: Address;
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly log: Logger;
  readonly now: () => number;
}

/** The links of a daemon to others, and its link key on chain. */
export interface DaemonLinks {
  readonly hub: LinkHub;
  readonly keyState: () => LinkKeyState;
  /** To be called once peers can ask this daemon where its link port is. */
  start(): void;
  close(): Promise<void>;
}

const IDENTITY_MS = 5_000;

/**
 * Peers are known by what the chain says of them: their link key, and the URL of the daemon that says where its link port is.
 * @throws DT_LINK_KEY_FILE, DT_PORT_BUSY
 */
export async function openLinks(options: LinkOptions): Promise<DaemonLinks> {
  const { config, organization, ledger, log, now } = options;
  const { listen, keyFile, graceSeconds, peerWaitSeconds } = config.link;
  const key = await openLinkKey(keyFile);
  const cache = new OrganizationCache(ledger, now);
  const given = new Map<Address, Bytes32>();
  const lines = new LinkLog(log, now);
  let metrics: LinkMetrics | undefined;
  const hub = await openLinkHub({
    address: organization,
    key,
    ...(listen !== undefined && { listen }),
    linkKeyOf: async (peer) => {
      const linkKey = (await cache.get(peer))?.linkKey;
      if (linkKey !== undefined) given.set(peer, linkKey);
      return linkKey;
    },
    endpointOf: async (peer) => endpointOf(peer, (await cache.get(peer))?.url, ledger),
    limits: { graceMs: graceSeconds * 1000, openMs: peerWaitSeconds * 1000 },
    onEvent: (event) => {
      metrics?.sample();
      lines.event(event);
    },
  });
  metrics = new LinkMetrics(options.registry, hub);
  const keeper = new LinkKeyKeeper({ ledger, organization, key: key.publicKey, log });
  const stopping = new AbortController();

  const onLedgerEvent = (event: LedgerEvent): void => {
    if (event.kind !== 'organization') return;
    const { address, linkKey } = event.organization;
    cache.forget(address);
    if (address === organization) keeper.check();
    else if (given.has(address) && given.get(address) !== linkKey) {
      given.delete(address);
      hub.reconnect(address, 'the chain holds another link key for the peer');
    }
  };

  const watch = async (): Promise<void> => {
    const { block } = await ledger.head().catch(() => ({ block: 0 }));
    await ledger.watch(onLedgerEvent, { fromBlock: block, signal: stopping.signal, onGap: () => cache.clear() });
  };

  return {
    hub,
    keyState: () => keeper.state,
    start: () => {
      const { port } = hub;
      log.info({ key: key.publicKey, ...(port === undefined ? { listens: false } : { host: listen?.host, port }) }, 'links are open');
      keeper.check();
      watch().catch((error) => log.error({ err: error }, 'the chain is not watched any more: new link keys of peers are noticed late'));
    },
    close: async () => {
      stopping.abort();
      keeper.stop();
      await hub.stop();
    },
  };
}

/** Undefined: the peer cannot be called, so it has to call. @throws DT_PEER_UNREACHABLE, DT_PEER_ANSWER, DT_PEER_FORBIDDEN_TARGET */
async function endpointOf(peer: Address, url: string | undefined, { ref }: Pick<Ledger, 'ref'>): Promise<LinkEndpoint | undefined> {
  if (url === undefined || url === '') return undefined;
  const daemon = parseDaemonUrl(url);
  const { link } = await new DaemonClient({ url: daemon, domain: ref, organization: peer, timeoutMs: IDENTITY_MS }).identity();
  return link && { host: link.host ?? bareHost(daemon), port: link.port };
}
