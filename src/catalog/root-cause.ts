/** As much of one party's share of a job as says what its end followed from. */
export interface ShareEnd {
  readonly ownerName: string;
  readonly state: string;
  /** The failure is not the run's: its daemon could not be asked, or said no. */
  readonly isProblem: boolean;
  readonly failure?: { readonly code: string; readonly message: string; readonly details?: Readonly<Record<string, unknown>> };
}

/** What who gives up a joint job tells the others of the one that has not taken its share. */
export const cannotTakePart = (name: string): string => `${name} cannot take part: `;

const unreachable: readonly string[] = ['DT_PEER_UNREACHABLE', 'DT_PEER_ANSWER'];
const ended: readonly string[] = ['failed', 'refused', 'canceled'];

/**
 * The share from whose end those of the others followed: one that failed by itself; else one that says what another did; else one whose
 * daemon does not answer; else one that waited in vain. The first of several alike. Undefined when none has failed.
 */
export function rootCause<Share extends ShareEnd>(shares: readonly Share[]): Share | undefined {
  const gone = shares.filter(({ isProblem }) => isProblem).map(({ ownerName }) => cannotTakePart(ownerName));
  const ranked = shares.flatMap((share) => {
    const rank = rankOf(share, gone);
    return rank === undefined ? [] : [{ share, rank }];
  });
  return ranked.sort((one, other) => one.rank - other.rank)[0]?.share;
}

function rankOf({ failure, state }: ShareEnd, gone: readonly string[]): number | undefined {
  if (failure === undefined) return ended.includes(state) ? 0 : undefined;
  const { code, message, details } = failure;
  if (unreachable.includes(code)) return 2;
  if (gone.some((words) => message.includes(words))) return 3;
  if (code === 'DT_JOINT_PEER_FAILED') return String(details?.['cause'] ?? 'DT_JOINT_').startsWith('DT_JOINT_') ? 4 : 1;
  if (['DT_JOINT_PEER_ABSENT', 'DT_JOINT_PEER_LOST'].includes(code) || code.startsWith('DT_LINK_')) return 3;
  return code.startsWith('DT_JOINT_') ? 1 : 0;
}
