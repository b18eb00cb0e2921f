import type { ComponentChildren } from 'preact';
import { useQuery } from '../../api/query.js';
import { isEnded, type Overview, type Run } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { Badge, bytes, Card, Empty, PageHead, ProblemView, Skeleton, type Tone } from '../../ui/basics.js';
import { Icon } from '../../ui/icon.js';
import { Name } from '../../ui/name.js';
import { RunRows } from '../jobs/run-rows.js';
import { useRuns } from '../jobs/use-runs.js';
import { overviewText } from './text.js';

const RECENT = 6;

export function OverviewPage() {
  const text = useWords(overviewText);
  const { data, problem, reload } = useQuery<Overview>('/v1/overview', ['run', 'assets', 'chain', 'peers']);
  const { runs } = useRuns();
  return (
    <>
      <PageHead title={text.title} about={text.about} />
      {problem && <ProblemView problem={problem} onRetry={reload} />}
      {data === undefined ? !problem && <Skeleton lines={8} /> : <Loaded overview={data} runs={runs} />}
    </>
  );
}

function Loaded({ overview, runs }: { overview: Overview; runs: readonly Run[] }) {
  const text = useWords(overviewText);
  const count = (...states: readonly Run['state'][]): number => states.reduce((sum, state) => sum + (overview.runs[state] ?? 0), 0);
  const waiting = count('awaiting-approval', 'held');
  const now = runs.filter(({ state }) => !isEnded(state));
  const recent = runs.filter(({ state }) => isEnded(state)).slice(0, RECENT);
  return (
    <>
      <a class={`waiting ${waiting > 0 ? 'some' : ''}`} href="#/requests">
        <Icon name={waiting > 0 ? 'hand' : 'check'} size={22} />
        <span>{waiting > 0 ? text.waiting : text.waitingNone}</span>
        {waiting > 0 && <strong>{waiting}</strong>}
        {waiting > 0 && <span class="waiting-go">{text.decide}</span>}
      </a>
      <dl class="figures">
        <Figure
          name={text.running}
          value={count('staging', 'running', 'releasing', 'settling')}
          note={text.of(overview.limits.concurrency)}
        />
        <Figure name={text.queue} value={count('queued')} note={text.of(overview.limits.queue)} />
        <Figure name={text.held} value={overview.assets} />
        <Figure name={text.succeeded} value={count('succeeded')} />
        <Figure name={text.ended} value={count('failed', 'canceled', 'refused')} />
      </dl>
      <div class="columns">
        <div>
          <Card title={text.now}>
            {now.length === 0 ? (
              <Empty icon="jobs" title={text.nowNone}>
                {text.nowAbout}
              </Empty>
            ) : (
              <RunRows runs={now} />
            )}
          </Card>
          <Card title={text.recent} actions={<a href="#/jobs">{text.allJobs}</a>}>
            {recent.length === 0 ? <p class="muted">{text.recentNone}</p> : <RunRows runs={recent} />}
          </Card>
        </div>
        <HealthCards overview={overview} />
      </div>
    </>
  );
}

function Figure({ name, value, note }: { name: string; value: number; note?: string }) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        {value}
        {note !== undefined && <span class="muted"> {note}</span>}
      </dd>
    </div>
  );
}

function HealthCards({ overview }: { overview: Overview }) {
  const text = useWords(overviewText);
  const { chain, store, sandbox, links } = overview;
  const key = links.key as keyof typeof text.key;
  const keyTone: Tone = key === 'published' ? 'good' : key === 'differs' ? 'bad' : 'wait';
  return (
    <div>
      <Card title={text.health}>
        <dl class="facts">
          <Fact name={text.chain}>
            <Badge tone={chain ? 'good' : 'bad'}>{chain ? text.ok : text.failed}</Badge>
          </Fact>
          <Fact name={text.store}>
            <Badge tone={store ? 'good' : 'bad'}>{store ? text.ok : text.failed}</Badge>
          </Fact>
          <Fact name={text.sandbox}>
            <Badge tone={sandbox.level === 'process' ? 'wait' : 'good'}>{sandbox.level}</Badge>
          </Fact>
          <Fact name={text.links}>
            <Badge tone={keyTone}>{text.key[key] ?? links.key}</Badge>
          </Fact>
        </dl>
      </Card>
      <Card title={text.peers}>
        {links.peers.length === 0 ? (
          <p class="muted">{text.peersNone}</p>
        ) : (
          <ul class="peers">
            {links.peers.map((peer) => (
              <li key={peer.peer}>
                <Name id={peer.peer} />
                <Badge tone={peer.isConnected ? 'good' : 'plain'}>{peer.isConnected ? text.connected : text.away}</Badge>
                <span class="muted">
                  {bytes(peer.bytesSent)} {text.sent}, {bytes(peer.bytesReceived)} {text.received}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Card>
    </div>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
