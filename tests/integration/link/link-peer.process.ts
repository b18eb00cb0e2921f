import { parseAddress, parseBytes32 } from '../../../src/documents/ids.js';
import { openLinkHub } from '../../../src/peers/link/link-hub.js';
import { LinkKey } from '../../../src/peers/link/link-key.js';

// A peer in a process of its own, so that a test can kill it: links to who started it and answers each message with itself.
const message = await new Promise<Record<string, string>>((resolve) =>
  process.once('message', (value) => resolve(value as Record<string, string>)),
);
const peer = parseAddress(message['peer']);
const hub = await openLinkHub({
  address: parseAddress(message['address']),
  key: LinkKey.parse(message['key'] ?? '', 'message'),
  listen: { host: '127.0.0.1', port: Number(message['port']) },
  linkKeyOf: async () => parseBytes32(message['peerKey']),
  endpointOf: async () => undefined,
});
process.send?.({ port: hub.port });
const channel = await hub.channel(peer, message['session'] ?? '', 'echo');
for (;;) await channel.send(await channel.receive());
