import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseJointDescription } from '../../../src/documents/job/joint-description.js';
import { nameOfSeat, openChannels } from '../../../src/operator-kit/open-channels.js';
import { operatorSession } from '../../../src/operator-kit/operator-session.js';
import { memoryChannelPair } from '../../../src/privacy/memory-channel.js';

const joint = parseJointDescription({
  session: 'cd'.repeat(32),
  seat: '0',
  seats: [
    { seat: '0', organization: `0x${'1'.repeat(40)}`, name: 'Bank A', inputs: ['0', '2'] },
    { seat: '1', organization: `0x${'2'.repeat(40)}`, name: '', inputs: ['1'] },
  ],
  inputs: { '0': 'inputs/a.csv', '2': 'inputs/y.csv' },
  peers: ['1'],
});
const [channel] = memoryChannelPair();
const session = operatorSession({ party_id: 0 }, joint, new Map([['1', channel]]));

describe('the session of an operator', () => {
  it('has what joint.json and args.json say', () => {
    expect(session).toMatchObject({ digest: joint.session, seat: '0', seats: joint.seats, args: { party_id: 0 } });
    expect([session.input('0'), session.input(2), session.channel('1'), session.channel(1)]).toEqual([
      'inputs/a.csv',
      'inputs/y.csv',
      channel,
      channel,
    ]);
  });

  it('names what it has where it is asked for something else', () => {
    expect(() => session.input('1')).toThrow(
      expect.objectContaining({ code: 'DT_INPUT_MISSING', message: expect.stringContaining('Input 1 of seat 0, which has 0, 2') }),
    );
    expect(() => session.input('toString')).toThrow(expect.objectContaining({ code: 'DT_INPUT_MISSING' }));
    expect(() => session.channel('7')).toThrow(
      expect.objectContaining({ code: 'DT_INPUT_INVALID', message: expect.stringContaining('the other seats are 1') }),
    );
    expect(() => session.channel('0')).toThrow(expect.objectContaining({ message: expect.stringContaining('it is this party itself') }));
  });

  it('calls a seat by its name and number', () => {
    expect([nameOfSeat(joint, '0'), nameOfSeat(joint, '1')]).toEqual(['Bank A (seat 0)', 'seat 1']);
  });

  it.each(['', '4,5', 'x', '4.5', '-1', '04'])('takes %j for no descriptors of its channels', async (text) => {
    await expect(openChannels(joint, { DT_CHANNELS: text })).rejects.toThrow(
      expect.objectContaining({ code: 'DT_INPUT_INVALID', message: expect.stringContaining('DT_CHANNELS') }),
    );
  });
});

describe('outputs', () => {
  const before = process.cwd();
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dt-session-'));
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });

  it('lie below outputs/, and their folder is made', () => {
    expect(session.output('./outputs/a/b.json', 'outputs.0')).toBe('outputs/a/b.json');
    expect(existsSync(join(folder, 'outputs/a'))).toBe(true);
    expect(session.output('outputs/x/../c.json', 'outputs.0')).toBe('outputs/c.json');
  });

  it.each([
    undefined,
    7,
    '',
    'outputs',
    './outputs/',
    '/outputs/a',
    'outputs/../a',
    './inputs/a',
    'outputs\\a',
    'outputs/a\n',
    '../outputs/a',
  ])('refuse %j', (path) => {
    expect(() => session.output(path, 'outputs.0')).toThrow(
      expect.objectContaining({ code: 'DT_INPUT_INVALID', message: expect.stringContaining('outputs.0') }),
    );
    expect(existsSync(join(folder, 'inputs'))).toBe(false);
  });
});
