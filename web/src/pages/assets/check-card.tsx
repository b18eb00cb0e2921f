import type { Problem } from '../../api/http.js';
import { useWords } from '../../i18n.js';
import { Badge, Card, ProblemView, ShortId } from '../../ui/basics.js';
import { ClauseList } from '../../ui/clause-list.js';
import type { DraftCheck } from './answers.js';
import { assetsText } from './text.js';

/** What minting would say, as it stands, and the document that would be minted. */
export function CheckCard({
  check,
  isStarted,
  attributes,
}: {
  check: DraftCheck | Problem | undefined;
  isStarted: boolean;
  attributes: string;
}) {
  const text = useWords(assetsText);
  const result = check !== undefined && 'ok' in check ? check : undefined;
  const failed = result?.clauses.filter(({ passed }) => !passed) ?? [];
  const passed = (result?.clauses.length ?? 0) - failed.length;
  const problem = result?.problem;
  return (
    <div class="live-checks">
      <Card
        title={text.checks}
        actions={result && <Badge tone={result.ok ? 'good' : 'bad'}>{result.ok ? text.allPassed : text.notYet}</Badge>}
      >
        <div aria-live="polite">
          {!isStarted && <p class="muted">{text.checksAbout}</p>}
          {isStarted && check === undefined && <p class="muted">{text.checking}</p>}
          {check !== undefined && !('ok' in check) && <ProblemView problem={check} />}
          {problem && (
            <div class="problem">
              <p class="problem-title wrap">{problem.message}</p>
              {problem.pointer !== '' && <code class="wrap">{problem.pointer}</code>}
              <p class="problem-foot">
                <code>{problem.code}</code>
              </p>
            </div>
          )}
          <ClauseList clauses={failed} />
          {passed > 0 && <p class="muted">{text.passedChecks(passed)}</p>}
          {result?.token !== undefined && (
            <p>
              {text.token} <ShortId id={result.token} />
            </p>
          )}
          {result?.published && <p class="muted">{text.alreadyThere}</p>}
        </div>
        <details>
          <summary>{text.document}</summary>
          <pre class="command">{JSON.stringify(JSON.parse(attributes), null, 2)}</pre>
        </details>
      </Card>
    </div>
  );
}
