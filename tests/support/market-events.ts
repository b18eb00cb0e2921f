import type { LedgerEvent } from '../../src/ledger/ledger.js';
import { addressOf, type EventBody, minted, organization, tokenOf, wordOf } from './generated-chain.js';

const NAMES = ['bank', 'clinic', 'maker', 'third'];

/** One thing that may happen after `before`, chosen by a number: as the contracts allow it. */
export function nextEvent(before: readonly EventBody[] | readonly LedgerEvent[], choice: number): EventBody {
  const pick = <T>(list: readonly T[], by: number): T | undefined => list[Math.abs(by) % Math.max(1, list.length)];
  const some = Math.floor(choice / 13);
  const who = pick(NAMES, some) ?? 'bank';
  const tokens: { id: string; children: readonly string[] }[] = [];
  const operators: string[] = [];
  const tasks: bigint[] = [];
  const jobs: { id: bigint; algorithm: string }[] = [];
  for (const event of before) {
    if (event.kind === 'token-minted') tokens.push({ id: event.token, children: event.children });
    if (event.kind === 'operator-published') operators.push(event.operator.id);
    if (event.kind === 'task-created') tasks.push(event.task);
    if (event.kind === 'job-added') jobs.push({ id: event.job, algorithm: event.algorithm });
  }
  const named = (id: string) => id as ReturnType<typeof tokenOf>;
  const composite = pick(
    tokens.filter(({ children }) => children.length > 0),
    some,
  );
  const [token, operator, task, job] = [pick(tokens, some * 7), pick(operators, some), pick(tasks, some), pick(jobs, some)];
  const child = composite && pick(composite.children, Math.floor(some / 5));
  switch (choice % 13) {
    case 0:
      return organization(who, `https://${some % 3}.example`);
    case 1:
      return {
        kind: 'operator-published',
        operator: { id: tokenOf(`operator ${before.length}`), owner: addressOf(who), digest: wordOf('code'), version: 1, retired: false },
      };
    case 2:
      if (operator !== undefined)
        return { kind: 'operator-updated', operator: named(operator), digest: wordOf(`code ${some}`), version: 2 };
      break;
    case 3:
      if (operator !== undefined) return { kind: 'operator-retired', operator: named(operator) };
      break;
    case 4:
    case 5: {
      const children = [...new Set([pick(tokens, some)?.id, pick(tokens, some * 3 + 1)?.id, token?.id])].filter((id) => id !== undefined);
      if (children.length > 1) return { ...mintedAs(before.length, who), children: children.map(named) };
      break;
    }
    case 6:
    case 7:
      if (composite && child) return { kind: 'granted', child: named(child), composite: named(composite.id), until: some % 2 };
      break;
    case 8:
      if (composite && child) return { kind: 'revoked', child: named(child), composite: named(composite.id) };
      break;
    case 9:
      if (composite && some % 2 === 0) return { kind: 'activated', token: named(composite.id) };
      if (token) return { kind: 'transferred', contract: 'token', token: named(token.id), from: addressOf('bank'), to: addressOf(who) };
      break;
    case 10:
      if (task !== undefined && some % 3 === 0) return { kind: 'task-closed', task };
      return { kind: 'task-created', task: BigInt(tasks.length + 1), demander: addressOf(who), name: `task of ${who}`, description: '' };
    case 11:
      if (task !== undefined && composite)
        return { kind: 'job-added', job: BigInt(jobs.length + 1), task, algorithm: named(composite.id), demander: addressOf(who) };
      break;
    default:
      if (job !== undefined && token) {
        const root = wordOf(`root ${before.length}`);
        if (some % 3 === 0) return { kind: 'receipts-anchored', by: addressOf(who), root, count: 1 + (some % 4) };
        const state = some % 2 === 0 ? 'failed' : 'succeeded';
        return { kind: 'job-reported', job: job.id, token: named(token.id), state, receipt: root, reporter: addressOf(who), anchor: root };
      }
  }
  return mintedAs(before.length, who);
}

const mintedAs = (salt: number, owner: string) => minted(`token ${salt}`, owner) as Extract<EventBody, { kind: 'token-minted' }>;
