import type { ContentStore } from '../content-store/content-store.js';
import { FilesystemStore } from '../content-store/filesystem-store.js';
import { GatewaySource } from '../content-store/gateway-source.js';
import { KuboSource } from '../content-store/kubo-source.js';
import { LayeredStore } from '../content-store/layered-store.js';
import type { Bytes32 } from '../documents/ids.js';
import type { LedgerReader } from '../ledger/ledger.js';

export interface DocumentPlaces {
  readonly folder: string;
  readonly gateways: readonly string[];
  readonly kuboApi?: string | undefined;
}

/**
 * Where documents come from: the local folder, then the gateways that the owner of this machine configured and the daemons of the
 * organizations on chain, whoever answers first with bytes of the right digest. Nothing else is ever fetched from.
 */
export function openDocuments(ledger: LedgerReader, places: DocumentPlaces): ContentStore {
  const allowed = new Set<string>();
  const gateway = (base: string): GatewaySource => {
    allowed.add(new URL(base).origin);
    return new GatewaySource(base, { isAllowedTarget: (url: URL) => allowed.has(url.origin) });
  };
  const sources: ContentSource[] = places.gateways.map(gateway);
  if (places.kuboApi !== undefined) {
    allowed.add(new URL(places.kuboApi).origin);
    sources.push(new KuboSource(places.kuboApi, { isAllowedTarget: (url: URL) => allowed.has(url.origin) }));
  }
  return new LayeredStore({ local: new FilesystemStore(places.folder), sources: [...sources, organizationSource(ledger, gateway)] });
}

type ContentSource = Pick<ContentStore, 'get'>;

/** The daemons of all organizations on chain, as one source: they keep what was published to them. */
function organizationSource(ledger: LedgerReader, gateway: (base: string) => ContentSource): ContentSource {
  return {
    async get(digest: Bytes32, signal?: AbortSignal) {
      const { readIndex } = await import('./ledger-index.js');
      const { organizations } = await readIndex(ledger);
      const bases = [...organizations.values()].map(({ url }) => baseOf(url)).filter((base) => base !== undefined);
      if (bases.length === 0) return undefined;
      const stop = new AbortController();
      const bound = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
      try {
        return await Promise.any(
          bases.map(async (base) => {
            const bytes = await gateway(base).get(digest, bound);
            if (bytes === undefined) throw new Error('not there');
            return bytes;
          }),
        );
      } catch {
        return undefined;
      } finally {
        stop.abort();
      }
    },
  };
}

function baseOf(url: string): string | undefined {
  if (url === '') return undefined;
  const text = /^https?:\/\//i.test(url) ? url : `http://${url}`;
  return URL.canParse(text) ? text : undefined;
}
