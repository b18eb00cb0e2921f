import { useWords } from '../../i18n.js';
import { Badge, type Tone } from '../../ui/basics.js';
import { jobsText } from './text.js';
import type { PeerWord } from './use-run-events.js';

const tones: Readonly<Record<PeerWord, Tone>> = {
  waiting: 'wait',
  allowed: 'plain',
  refused: 'bad',
  agreed: 'busy',
  computed: 'busy',
  confirmed: 'good',
  ended: 'bad',
  lost: 'bad',
};

/** How far another party says that it is. */
export function WordBadge({ word }: { word: PeerWord }) {
  const { peerWords } = useWords(jobsText);
  return <Badge tone={tones[word]}>{peerWords[word]}</Badge>;
}
