import { useState } from 'preact/hooks';
import { isEnded, type Run } from '../../api/types.js';
import { useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Empty, PageHead, ProblemView, Sentence, Skeleton } from '../../ui/basics.js';
import { LongList } from '../../ui/long-list.js';
import { RunPage } from './run-page.js';
import { RunRow } from './run-rows.js';
import { jobsText } from './text.js';
import { useRuns } from './use-runs.js';

export function JobsPage() {
  const { router } = useApp();
  const [, id] = router.route.value.parts;
  return id === undefined ? <RunList /> : <RunPage key={id} id={id} />;
}

type Filter = 'all' | 'live' | 'ended';
const filters: readonly Filter[] = ['all', 'live', 'ended'];
const ROW_PX = 52;
const idOf = ({ id }: Run): string => id;
const rowOf = (run: Run) => <RunRow run={run} />;

function RunList() {
  const { names } = useApp();
  const text = useWords(jobsText);
  const { runs, problem, isLoading } = useRuns();
  const [words, setWords] = useState('');
  const [filter, setFilter] = useState<Filter>('all');
  const shown = runs.filter((run) => fits(run, filter, words.trim().toLowerCase(), (id) => names.of(id).value ?? ''));
  return (
    <>
      <PageHead title={text.title} about={text.about} />
      {problem && <ProblemView problem={problem} />}
      <div class="filters">
        <input
          type="search"
          aria-label={text.search}
          placeholder={text.search}
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <fieldset class="segments">
          <legend class="unseen">{text.state}</legend>
          {filters.map((name) => (
            <label key={name}>
              <input type="radio" name="filter" checked={filter === name} onChange={() => setFilter(name)} />
              <span>{text[name]}</span>
            </label>
          ))}
        </fieldset>
        <span class="muted" aria-live="polite">
          {text.count(shown.length)}
        </span>
      </div>
      {runs.length === 0 ? (
        isLoading ? (
          <Skeleton lines={8} />
        ) : (
          problem === undefined && (
            <Empty icon="jobs" title={text.none}>
              <Sentence text={text.noneAbout} />
            </Empty>
          )
        )
      ) : shown.length === 0 ? (
        <Empty icon="search" title={text.noMatch} />
      ) : (
        <LongList items={shown} rowPx={ROW_PX} keyOf={idOf} row={rowOf} label={text.title} />
      )}
    </>
  );
}

function fits(run: Run, filter: Filter, words: string, nameOf: (id: string) => string): boolean {
  if (filter !== 'all' && isEnded(run.state) !== (filter === 'ended')) return false;
  if (words === '') return true;
  const ids = [run.token, run.algorithm, run.consumer];
  return [run.job, run.id, run.state, ...ids, ...ids.map(nameOf)].some((fact) => fact.toLowerCase().includes(words));
}
