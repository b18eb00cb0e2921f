import { useWords } from '../../i18n.js';
import { Time } from '../../ui/time.js';
import { requestsText } from './text.js';

export function Deadline({ at }: { at: string }) {
  const text = useWords(requestsText);
  return (
    <>
      {text.until} <Time at={at} /> {text.untilMeans}
    </>
  );
}
