import { useEffect, useRef, useState } from 'preact/hooks';
import { useChange } from '../../api/query.js';
import { useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Button, Card, PageHead, ProblemView } from '../../ui/basics.js';
import { Icon } from '../../ui/icon.js';
import type { Verification } from './answer.js';
import { filesOfDrop, filesOfInput } from './dropped.js';
import { Result } from './result.js';
import { type GivenFile, ReadingProblem, readShares } from './shares.js';
import { verifyText } from './text.js';

export function VerifyPage() {
  const { http, router } = useApp();
  const text = useWords(verifyText);
  const change = useChange();
  const [answer, setAnswer] = useState<Verification>();
  const [unread, setUnread] = useState<ReadingProblem['reason']>();
  const [isOver, setOver] = useState(false);
  const [job, setJob] = useState('');
  const folder = useRef<HTMLInputElement>(null);
  const [, asked] = router.route.value.parts;

  const verify = (body: () => Promise<object>): Promise<boolean> => {
    setUnread(undefined);
    setAnswer(undefined);
    return change.run(async () => {
      try {
        setAnswer(await http.post<Verification>('/v1/verify', await body()));
      } catch (error) {
        if (!(error instanceof ReadingProblem)) throw error;
        setUnread(error.reason);
      }
    });
  };
  const verifyFiles = (files: Promise<readonly GivenFile[]>) => verify(async () => readShares(await files));
  useEffect(() => {
    if (asked === undefined) return;
    setJob(asked);
    verify(async () => ({ job: asked }));
  }, [asked]);
  // Not a property that Preact knows.
  useEffect(() => folder.current?.setAttribute('webkitdirectory', ''), []);

  return (
    <>
      <PageHead title={text.title} about={text.about} />
      <section
        class={`drop ${isOver ? 'over' : ''}`}
        aria-label={text.drop}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          if (event.dataTransfer !== null) verifyFiles(filesOfDrop(event.dataTransfer));
        }}
      >
        <Icon name="verify" size={34} />
        <p class="empty-title">{text.drop}</p>
        <p class="muted">{text.dropAbout}</p>
        <div class="actions">
          <label class="button file-button">
            <Icon name="file" size={16} />
            {text.chooseFiles}
            <input type="file" multiple class="unseen" onChange={(event) => choose(event.currentTarget, verifyFiles)} />
          </label>
          <label class="button file-button">
            <Icon name="assets" size={16} />
            {text.chooseFolder}
            <input type="file" multiple class="unseen" ref={folder} onChange={(event) => choose(event.currentTarget, verifyFiles)} />
          </label>
        </div>
        <form
          class="verify-job"
          onSubmit={(event) => {
            event.preventDefault();
            if (job === asked) verify(async () => ({ job }));
            else router.go(`/verify/${job}`);
          }}
        >
          <label for="verify-job">{text.orJob}</label>
          <input
            id="verify-job"
            inputMode="numeric"
            pattern="[1-9][0-9]{0,18}"
            required
            value={job}
            onInput={(event) => setJob(event.currentTarget.value.trim())}
          />
          <Button type="submit" kind="primary" isBusy={change.isBusy}>
            {text.verify}
          </Button>
        </form>
      </section>
      <div aria-live="polite">
        {change.isBusy && <p class="muted verify-busy">{text.busy}</p>}
        {unread !== undefined && (
          <Card>
            <p class="problem-title">{text.unread[unread]}</p>
          </Card>
        )}
        {change.problem && <ProblemView problem={change.problem} />}
        {answer && <Result answer={answer} isOwn={asked !== undefined} />}
      </div>
    </>
  );
}

function choose(input: HTMLInputElement, verify: (files: Promise<readonly GivenFile[]>) => void): void {
  const files = filesOfInput(input.files ?? new DataTransfer().files);
  // So that the same files can be chosen again.
  input.value = '';
  if (files.length > 0) verify(Promise.resolve(files));
}
