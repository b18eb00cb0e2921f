import { useWords } from '../../i18n.js';
import { Empty, PageHead, Skeleton } from '../../ui/basics.js';
import { RunRows } from '../jobs/run-rows.js';
import { useRuns } from '../jobs/use-runs.js';
import { requestsText } from './text.js';

export function RequestsPage() {
  const text = useWords(requestsText);
  const { runs, isLoading } = useRuns();
  const waiting = runs.filter(({ state }) => state === 'awaiting-approval' || state === 'held');
  return (
    <>
      <PageHead title={text.title} about={text.about} />
      {waiting.length > 0 ? (
        <RunRows runs={waiting} />
      ) : isLoading ? (
        <Skeleton />
      ) : (
        <Empty icon="requests" title={text.none}>
          {text.noneAbout}
        </Empty>
      )}
    </>
  );
}
