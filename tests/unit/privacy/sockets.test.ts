import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fitSgdBank, fitSgdDealer } from '../../../src/privacy/regression/fit-sgd.js';
import { streamChannel } from '../../../src/privacy/stream-channel.js';
import { jointTable, runSgd, smallOptions } from './joint-table.js';
import { type Triangle, testRandom } from './three-parties.js';

let folder = '';
const sockets: Socket[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'privacy-sockets-'));
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  rmSync(folder, { recursive: true });
});

/** Two ends of a Unix socket, which is what an operator in the sandbox inherits for each peer. */
async function unixPair(name: string): Promise<[Socket, Socket]> {
  const path = join(folder, name);
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const left = connect(path);
  const [right] = (await once(server, 'connection')) as [Socket];
  server.close();
  sockets.push(left, right);
  return [left, right];
}

async function unixTriangle(): Promise<{ links: Triangle; ends: Record<string, Socket> }> {
  const [ab, ba] = await unixPair('banks');
  const [ad, da] = await unixPair('first');
  const [bd, db] = await unixPair('second');
  const links = {
    bank0: { otherBank: streamChannel(ab, { peer: 'bank1', transcript: true }), dealer: streamChannel(ad, { peer: 'dealer' }) },
    bank1: { otherBank: streamChannel(ba, { peer: 'bank0', transcript: true }), dealer: streamChannel(bd, { peer: 'dealer' }) },
    dealer: { banks: [streamChannel(da, { peer: 'bank0' }), streamChannel(db, { peer: 'bank1' })] as const },
  };
  return { links, ends: { ab, ba, ad, da, bd, db } };
}

describe('a joint fit over sockets', () => {
  const table = jointTable(80, 400, [3, 4]);

  it('gives bit for bit what it gives in one process, and both ends agree on what crossed', async () => {
    const options = smallOptions(table, { steps: 200, evaluateEvery: 50 });
    const { links } = await unixTriangle();
    const [over, inside] = [await runSgd(table, options, { links, seed: 3 }), await runSgd(table, options, { seed: 3 })];
    expect(over.bank0.parts).toEqual(inside.bank0.parts);
    expect(over.bank1.parts).toEqual(inside.bank1.parts);
    expect(over.dealer.evaluations).toEqual(inside.dealer.evaluations);
    const [mine, theirs] = [links.bank0.otherBank, links.bank1.otherBank];
    expect(mine.transcript()?.sent).toBe(theirs.transcript()?.received);
    expect(mine.counters.bytesSent).toBe(theirs.counters.bytesReceived);
    await Promise.all([mine.close(), theirs.close()]);
  });

  it.each([
    ['a bank', ['ba', 'bd'], 'bank1'],
    ['the dealer', ['da', 'db'], 'dealer'],
  ])('ends at the others with its name when %s is killed', async (_, killed, name) => {
    const options = smallOptions(table, { steps: 1_000_000, learningRate: 1e-4 });
    const { links, ends } = await unixTriangle();
    const runs = {
      bank0: fitSgdBank(links.bank0, options, table.bank0, testRandom(1, 0)),
      bank1: fitSgdBank(links.bank1, options, table.bank1, testRandom(1, 1)),
      dealer: fitSgdDealer(links.dealer, options, testRandom(1, 2)),
    };
    const settled = Promise.allSettled(Object.values(runs));
    while (links.bank0.otherBank.counters.messagesReceived < 500) await new Promise((resolve) => setImmediate(resolve));
    for (const end of killed) ends[end]?.destroy();
    const [bank0, bank1, dealer] = await settled;
    const others = name === 'dealer' ? [bank0, bank1] : [bank0, dealer];
    for (const outcome of others) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: expect.stringMatching(/^DT_PEER_(GONE|ABORTED)$/), message: expect.stringContaining(name) },
      });
    }
  });
});
