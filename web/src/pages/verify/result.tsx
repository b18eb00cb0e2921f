import { useWords } from '../../i18n.js';
import { Badge, Card, ShortId } from '../../ui/basics.js';
import { Icon } from '../../ui/icon.js';
import { Time } from '../../ui/time.js';
import type { Check, Verification, VerifiedParty } from './answer.js';
import { checkText } from './check-text.js';
import { verifyText } from './text.js';

const tones = { verified: 'good', failed: 'bad', missing: 'bad' } as const;
const icons = { passed: 'check', failed: 'cross', skipped: 'more' } as const;

/** The verdict, then party by party everything that was compared. */
export function Result({ answer, isOwn }: { answer: Verification; isOwn: boolean }) {
  const text = useWords(verifyText);
  const names = useWords(checkText);
  const { verified, first, job, parties } = answer;
  const failed = answer.checks.filter(({ state }) => state === 'failed').length;
  return (
    <>
      <div class={`verdict ${verified ? 'good' : 'bad'}`} role="status">
        <Icon name={verified ? 'check' : 'cross'} size={26} />
        <div>
          <p class="verdict-title">{verified ? text.verified : text.failed(failed)}</p>
          <p>
            {job !== undefined && `${text.job} ${job}. `}
            {first === undefined ? text.verifiedAbout : `${text.first}: ${names[first.name as keyof typeof names] ?? first.name}.`}{' '}
            {isOwn && text.ownOnly}
          </p>
        </div>
      </div>
      {parties.map((party, i) => (
        <PartyCard
          key={i}
          party={isOwn ? { ...party, source: text.here } : party}
          checks={answer.checks.filter((check) => check.party === party.party)}
        />
      ))}
    </>
  );
}

function PartyCard({ party, checks }: { party: VerifiedParty; checks: readonly Check[] }) {
  const text = useWords(verifyText);
  const names = [...new Set(checks.map(({ name }) => name))];
  return (
    <Card
      title={<span class="wrap">{party.party}</span>}
      actions={<Badge tone={tones[party.verdict]}>{text.verdicts[party.verdict]}</Badge>}
    >
      <p class="party-facts muted">
        <span class="wrap">{party.source}</span>
        {party.outcome !== undefined && <span>{text.outcomes[party.outcome as keyof typeof text.outcomes] ?? party.outcome}</span>}
        {party.finishedAt !== undefined && <Time at={party.finishedAt} />}
        {party.receipt !== undefined && <ShortId id={party.receipt} />}
        {party.token !== undefined && <ShortId id={party.token} link={`#/lineage/${party.token}`} />}
      </p>
      <ul class="checks">
        {names.map((name) => (
          <CheckGroup key={name} name={name} checks={checks.filter((check) => check.name === name)} />
        ))}
      </ul>
    </Card>
  );
}

/** Everything of one name: what failed or was skipped in full, what passed as a number with its places on demand. */
function CheckGroup({ name, checks }: { name: string; checks: readonly Check[] }) {
  const text = useWords(verifyText);
  const names = useWords(checkText);
  const state = checks.some((check) => check.state === 'failed')
    ? 'failed'
    : checks.some((check) => check.state === 'passed')
      ? 'passed'
      : 'skipped';
  const passed = checks.filter((check) => check.state === 'passed');
  return (
    <li class={state}>
      <Icon name={icons[state]} size={17} />
      <div>
        <p>
          <span class="unseen">{text.states[state]}: </span>
          {names[name as keyof typeof names] ?? name}
        </p>
        {checks
          .filter((check) => check.state !== 'passed')
          .map((check, i) => (
            <dl key={i} class="clause-facts">
              <Fact name={text.at} value={check.at} />
              <Fact name={text.expected} value={check.expected} />
              <Fact name={text.found} value={check.found} />
              <Fact name={text.needs} value={check.needs} />
            </dl>
          ))}
        {passed.length > 0 && (
          <details>
            <summary>{text.compared(passed.length)}</summary>
            <ul class="plain-list">
              {passed.map((check, i) => (
                <li key={i}>
                  <code class="wrap">{check.at}</code>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </li>
  );
}

function Fact({ name, value }: { name: string; value: string | undefined }) {
  if (value === undefined || value === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code class="wrap">{value}</code>
      </dd>
    </div>
  );
}
