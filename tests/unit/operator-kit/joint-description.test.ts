import { describe, expect, it } from 'vitest';
import { parseJointDescription } from '../../../src/documents/job/joint-description.js';

const organization = (digit: number): string => `0x${String(digit).repeat(40)}`;
const valid = {
  session: 'ab'.repeat(32),
  seat: '0',
  seats: [
    { seat: '0', organization: organization(1), name: 'Bank A', inputs: ['0', '2'] },
    { seat: '1', organization: organization(2), name: 'Bank B', inputs: ['1'] },
    { seat: '2', organization: organization(3), name: 'Dealer', inputs: [] },
  ],
  inputs: { '0': 'inputs/org1_feature.csv', '2': 'inputs/org1_label.csv' },
  peers: ['2', '1'],
};

describe('joint.json', () => {
  it('is read as it is', () => {
    expect(parseJointDescription(JSON.parse(JSON.stringify(valid)))).toEqual(valid);
    const helper = { ...valid, seat: '2', inputs: {}, peers: ['0', '1'] };
    expect(parseJointDescription(helper)).toEqual(helper);
  });

  it('takes control characters out of names, which come from others', () => {
    const seats = [{ ...valid.seats[0], name: 'Bank\u001b[31m A\u202e' }, ...valid.seats.slice(1)];
    expect(parseJointDescription({ ...valid, seats }).seats[0]?.name).toBe('Bank [31m A ');
  });

  it.each<[string, unknown, string]>([
    ['no object', [], '/'],
    ['a key more', { ...valid, extra: 1 }, '/'],
    ['a key less', { ...valid, peers: undefined, seats: valid.seats.slice(0, 1) }, '/seats'],
    ['a session of another length', { ...valid, session: 'ab' }, '/session'],
    ['an own seat that is not there', { ...valid, seat: '5' }, '/seat'],
    ['a seat that is no number', { ...valid, seats: [{ ...valid.seats[0], seat: 'a' }, ...valid.seats.slice(1)] }, '/seats/0/seat'],
    ['a seat with a leading zero', { ...valid, seats: [{ ...valid.seats[0], seat: '00' }, ...valid.seats.slice(1)] }, '/seats/0/seat'],
    [
      'the same seat twice',
      { ...valid, seats: [...valid.seats, { ...valid.seats[1], organization: organization(4), inputs: [] }] },
      '/seats',
    ],
    ['the same organization twice', { ...valid, seats: [...valid.seats, { ...valid.seats[1], seat: '3', inputs: [] }] }, '/seats'],
    ['an input of two owners', { ...valid, seats: [valid.seats[0], { ...valid.seats[1], inputs: ['0'] }, valid.seats[2]] }, '/seats'],
    ['an own input without a path', { ...valid, inputs: { '0': 'inputs/a.csv' } }, '/inputs'],
    ['a path of a foreign input', { ...valid, inputs: { ...valid.inputs, '1': 'inputs/b.csv' } }, '/inputs'],
    ['a path that leaves the folder', { ...valid, inputs: { ...valid.inputs, '2': 'inputs/..' } }, '/inputs/2'],
    ['a path elsewhere', { ...valid, inputs: { ...valid.inputs, '2': '/etc/passwd' } }, '/inputs/2'],
    ['peers that miss one', { ...valid, peers: ['1'] }, '/peers'],
    ['peers with itself', { ...valid, peers: ['0', '1'] }, '/peers'],
    [
      'an address with capitals',
      { ...valid, seats: [{ ...valid.seats[0], organization: organization(1).toUpperCase() }, ...valid.seats.slice(1)] },
      '/seats/0/organization',
    ],
  ])('%s is refused', (_, value, pointer) => {
    expect(() => parseJointDescription(value)).toThrow(
      expect.objectContaining({ code: 'DT_DOCUMENT_INVALID', details: expect.objectContaining({ pointer }) }),
    );
  });
});
