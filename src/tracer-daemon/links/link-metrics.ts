import { Counter, Gauge, type Registry } from 'prom-client';
import type { Address } from '../../documents/ids.js';
import type { LinkHub } from '../../peers/link/link-hub.js';

/** Traffic of links. A link that is closed starts to count anew, so its numbers are added up here, when asked and at each event. */
export class LinkMetrics {
  private readonly seen = new Map<Address, { readonly sent: number; readonly received: number }>();
  private readonly bytes: Counter<'peer' | 'direction'>;

  constructor(
    registry: Registry,
    private readonly hub: Pick<LinkHub, 'peers'>,
  ) {
    const sample = (): void => this.sample();
    this.bytes = new Counter({
      name: 'dt_link_bytes_total',
      help: 'Bytes of links by peer and direction, TLS not counted',
      labelNames: ['peer', 'direction'],
      registers: [registry],
      collect: sample,
    });
    new Gauge({
      name: 'dt_link_connected',
      help: 'Links with a connection',
      registers: [registry],
      collect() {
        this.set(hub.peers().filter(({ isConnected }) => isConnected).length);
      },
    });
  }

  sample(): void {
    const present = this.hub.peers();
    for (const { peer, bytesSent, bytesReceived } of present) {
      const { sent, received } = this.seen.get(peer) ?? { sent: 0, received: 0 };
      this.bytes.inc({ peer, direction: 'sent' }, bytesSent - (bytesSent < sent ? 0 : sent));
      this.bytes.inc({ peer, direction: 'received' }, bytesReceived - (bytesReceived < received ? 0 : received));
      this.seen.set(peer, { sent: bytesSent, received: bytesReceived });
    }
    for (const peer of this.seen.keys()) if (!present.some((link) => link.peer === peer)) this.seen.delete(peer);
  }
}
