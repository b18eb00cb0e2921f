import { useQuery } from '../../api/query.js';
import { useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Empty, PageHead, ProblemView, Skeleton } from '../../ui/basics.js';
import type { LineageAnswer } from './answer.js';
import { Graph } from './graph.js';
import { Start } from './start.js';
import { lineageText } from './text.js';

const LIMIT = 2000;

export function LineagePage() {
  const { router } = useApp();
  const text = useWords(lineageText);
  const [, first, second] = router.route.value.parts;
  const asked =
    first === 'job' ? `&job=${encodeURIComponent(second ?? '')}` : first === undefined ? '' : `&token=${encodeURIComponent(first)}`;
  const { data, problem, isLoading, reload } = useQuery<LineageAnswer>(`/v1/lineage?limit=${LIMIT}${asked}`, ['chain']);
  const isUnknown = problem?.code === 'DT_ASSET_UNKNOWN' || problem?.code === 'DT_JOB_UNKNOWN' || problem?.status === 400;
  if (data?.root !== undefined)
    return <Graph key={data.root} answer={data} root={data.root} focus={first === 'job' ? `job:${second}` : data.root} />;
  if (data !== undefined) return <Start answer={data} />;
  return (
    <>
      <PageHead title={text.title} about={text.about} />
      {isLoading && <Skeleton lines={8} />}
      {isUnknown ? (
        <Empty icon="lineage" title={text.unknown}>
          <a href="#/lineage">{text.other}</a>
        </Empty>
      ) : (
        problem && <ProblemView problem={problem} onRetry={reload} />
      )}
    </>
  );
}
