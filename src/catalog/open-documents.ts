import type { ContentSource } from '../content-store/content-source.js';
import type { ContentStore } from '../content-store/content-store.js';
import { FilesystemStore } from '../content-store/filesystem-store.js';
import { GatewaySource } from '../content-store/gateway-source.js';
import { KuboStore } from '../content-store/kubo-store.js';
import { LayeredStore } from '../content-store/layered-store.js';
import type { IndexSource } from './ledger-index.js';

export interface DocumentPlaces {
  readonly folder: string;
  readonly gateways: readonly string[];
  readonly kuboApi?: string | undefined;
}

/**
 * Where documents come from: the local folder, then the gateways that the owner of this machine configured and the daemons of the
 * organizations on chain; whoever answers first with bytes of the right digest. Nothing else is ever fetched from.
 */
export function openDocuments(index: IndexSource, places: DocumentPlaces): { all: ContentStore; local: ContentStore } {
  const local = new FilesystemStore(places.folder);
  const sources: ContentSource[] = places.gateways.map((base) => new GatewaySource(base, only(base)));
  if (places.kuboApi !== undefined) sources.push(new KuboStore(places.kuboApi, only(places.kuboApi)));
  return { local, all: new LayeredStore({ local, sources: [...sources, organizationsSource(index)] }) };
}

const only = (base: string) => ({ isAllowedTarget: (url: URL): boolean => url.origin === new URL(base).origin });

/** The daemons of all organizations on chain, as one source: each keeps what was published to it. */
function organizationsSource(index: IndexSource): ContentSource {
  let reading: Promise<readonly string[]> | undefined;
  /** A tree of many documents that nobody has asks for them all at once: the chain is read once for them. */
  const daemons = (): Promise<readonly string[]> => {
    reading ??= index
      .read((found) => [
        ...new Set(
          found
            .organizations()
            .map(({ url }) => baseOf(url))
            .filter((base) => base !== undefined),
        ),
      ])
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  return {
    name: 'the daemons on chain',
    async get(digest, signal) {
      const found = (await daemons()).map(async (base) => {
        const bytes = await new GatewaySource(base, only(base)).get(digest, signal);
        if (bytes === undefined) throw new Error('not there');
        return bytes;
      });
      // A daemon that is down or lies does not hide an honest one; when all fail, the document is simply not found.
      return Promise.any(found).catch(() => undefined);
    },
  };
}

function baseOf(url: string): string | undefined {
  if (url === '') return undefined;
  const text = /^https?:\/\//i.test(url) ? url : `http://${url}`;
  return URL.canParse(text) ? text : undefined;
}
