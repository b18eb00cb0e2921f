import type { ComponentChildren } from 'preact';
import { useWords } from '../../i18n.js';
import { Badge, Button, ShortId, type Tone } from '../../ui/basics.js';
import { Time } from '../../ui/time.js';
import type { GrantState, LineageAnswer, LineageEdge, LineageNode } from './answer.js';
import { lineageText } from './text.js';
import { nodeTitle } from './words.js';

const tones: Readonly<Record<GrantState, Tone>> = { live: 'good', none: 'plain', expired: 'wait', revoked: 'bad' };
const SHOWN = 60;

interface DetailsProps {
  readonly node: LineageNode;
  readonly answer: LineageAnswer;
  readonly isOpen: boolean;
  readonly isRoot: boolean;
  readonly onToggle: () => void;
  readonly onSelect: (id: string) => void;
}

/** What is known of one node, and of the grants between it and its neighbours. */
export function Details({ node, answer, isOpen, isRoot, onToggle, onSelect }: DetailsProps) {
  const text = useWords(lineageText);
  const owner = node.kind === 'job' ? text.demander : node.kind === 'receipt' ? text.reporter : text.owner;
  const below = answer.edges.filter(({ to, grant }) => to === node.id && grant !== undefined);
  const above = answer.edges.filter(({ from, grant }) => from === node.id && grant !== undefined);
  return (
    <div class="node-details">
      <p class="node-head">
        <span class={`kind-dot ${node.kind}`} aria-hidden="true" />
        {text.kinds[node.kind]}
      </p>
      <h2 class="wrap">{nodeTitle(node, text)}</h2>
      <dl class="facts">
        {'token' in node && (
          <Fact name={node.kind === 'receipt' ? text.ofToken : text.id}>
            <ShortId id={node.token} />
          </Fact>
        )}
        <Fact name={owner}>
          {node.ownerName !== undefined && <span class="wrap">{node.ownerName} </span>}
          <ShortId id={node.owner} />
        </Fact>
        {'activated' in node && node.kind !== 'asset' && <Fact name={text.activated}>{node.activated ? text.yes : text.no}</Fact>}
        {node.kind === 'job' && <Fact name={text.task}>{node.task}</Fact>}
        {node.kind === 'receipt' && (
          <Fact name={text.digest}>
            <ShortId id={node.receipt} />
          </Fact>
        )}
        {'time' in node && (
          <Fact name={text.time}>
            <Time at={node.time} />
          </Fact>
        )}
      </dl>
      <div class="actions">
        {node.kind !== 'receipt' && (
          <Button icon={isOpen ? 'down' : 'plus'} onClick={onToggle}>
            {isOpen ? text.fold : text.expand}
          </Button>
        )}
        {'token' in node && !isRoot && (
          <a class="button" href={`#/lineage/${node.token}`}>
            {text.centre}
          </a>
        )}
        {(node.kind === 'job' || node.kind === 'receipt') && (
          <a class="button" href={`#/verify/${node.kind === 'job' ? node.number : node.job}`}>
            {text.toJob}
          </a>
        )}
      </div>
      <Grants title={text.madeOf} edges={below} otherOf={({ from }) => from} answer={answer} onSelect={onSelect} />
      <Grants title={text.wentInto} edges={above} otherOf={({ to }) => to} answer={answer} onSelect={onSelect} />
    </div>
  );
}

interface GrantsProps {
  readonly title: string;
  readonly edges: readonly LineageEdge[];
  readonly otherOf: (edge: LineageEdge) => string;
  readonly answer: LineageAnswer;
  readonly onSelect: (id: string) => void;
}

function Grants({ title, edges, otherOf, answer, onSelect }: GrantsProps) {
  const text = useWords(lineageText);
  if (edges.length === 0) return null;
  const nodes = new Map(answer.nodes.map((node) => [node.id, node]));
  return (
    <>
      <h3>
        {title} <span class="muted">{edges.length}</span>
      </h3>
      <ul class="grant-list">
        {edges.slice(0, SHOWN).map((edge) => {
          const other = nodes.get(otherOf(edge));
          return (
            <li key={`${edge.from}>${edge.to}`}>
              <button type="button" class="text-button wrap" onClick={() => onSelect(otherOf(edge))}>
                {other === undefined ? otherOf(edge) : nodeTitle(other, text)}
              </button>
              <GrantBadge edge={edge} />
            </li>
          );
        })}
      </ul>
    </>
  );
}

function GrantBadge({ edge: { grant = 'none', until } }: { edge: LineageEdge }) {
  const text = useWords(lineageText);
  return (
    <span class="grant-state">
      <Badge tone={tones[grant]}>{text.grants[grant]}</Badge>
      {until !== undefined && (
        <small class="muted">
          {grant === 'expired' ? text.expiredAt : text.liveUntil} <Time at={until} />
        </small>
      )}
    </span>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
