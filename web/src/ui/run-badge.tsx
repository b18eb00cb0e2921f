import type { RunState } from '../api/types.js';
import { useWords } from '../i18n.js';
import { Badge, type Tone } from './basics.js';
import { common } from './common-text.js';

const tones: Readonly<Record<RunState, Tone>> = {
  'awaiting-approval': 'wait',
  queued: 'plain',
  staging: 'busy',
  running: 'busy',
  releasing: 'busy',
  held: 'wait',
  settling: 'busy',
  succeeded: 'good',
  failed: 'bad',
  canceled: 'plain',
  refused: 'bad',
};

export function RunBadge({ state }: { state: RunState }) {
  const { states } = useWords(common);
  return <Badge tone={tones[state]}>{states[state]}</Badge>;
}
