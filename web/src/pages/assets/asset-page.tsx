import type { ComponentChildren } from 'preact';
import { useQuery } from '../../api/query.js';
import { useWords } from '../../i18n.js';
import { Badge, bytes, Card, Empty, PageHead, ProblemView, ShortId, Skeleton } from '../../ui/basics.js';
import { Time } from '../../ui/time.js';
import type { AssetAnswer, AssetService, Description } from './answers.js';
import { ConstraintTable } from './constraint-table.js';
import { GrantsCard } from './grants-card.js';
import { TermsList } from './terms-list.js';
import { assetsText } from './text.js';

const COLUMNS = 200;

/** One asset: what it is, what may be done with it, and who was granted it. Never a row. */
export function AssetPage({ token }: { token: string }) {
  const text = useWords(assetsText);
  const { data, problem, isLoading, reload } = useQuery<AssetAnswer>(`/v1/assets/${encodeURIComponent(token)}`, ['assets', 'chain']);
  const isUnknown = problem?.code === 'DT_ASSET_UNKNOWN' || problem?.code === 'DT_DATASET_UNKNOWN' || problem?.status === 400;
  return (
    <>
      <a class="back" href="#/assets">
        {text.title}
      </a>
      {data === undefined ? (
        <PageHead title={text.asset} />
      ) : (
        <PageHead title={data.name} about={<ShortId id={data.token} />}>
          <a class="button" href={`#/lineage/${data.token}`}>
            {text.lineage}
          </a>
        </PageHead>
      )}
      {isLoading && <Skeleton lines={8} />}
      {isUnknown ? (
        <Empty icon="assets" title={text.unknown}>
          <a href="#/assets">{text.title}</a>
        </Empty>
      ) : (
        problem && <ProblemView problem={problem} onRetry={reload} />
      )}
      {data && (
        <div class="columns">
          <div>
            {data.services.map((service) => (
              <ServiceCard key={service.index} service={service} />
            ))}
          </div>
          <div>
            <DataCard asset={data} />
            <GrantsCard asset={data} onChanged={reload} />
          </div>
        </div>
      )}
    </>
  );
}

function ServiceCard({ service }: { service: AssetService }) {
  const text = useWords(assetsText);
  const { operator } = service;
  return (
    <Card title={<span class="wrap">{service.index}</span>} actions={operator?.joint && <Badge tone="busy">{text.joint}</Badge>}>
      {operator && (
        <p class="service-operator">
          {text.operator} <strong class="wrap">{operator.name ?? operator.id.slice(0, 22)}</strong>{' '}
          <span class="muted">{operator.agreed === 'any' ? text.anyVersion : text.version(operator.agreed ?? operator.version ?? 1)}</span>{' '}
          {operator.retired && <Badge tone="bad">{text.retired}</Badge>}
          {typeof operator.agreed === 'number' && operator.version !== undefined && operator.agreed !== operator.version && (
            <Badge tone="wait">{text.newer(operator.version)}</Badge>
          )}
        </p>
      )}
      <ConstraintTable constraint={service.constraint ?? {}} />
      <TermsList terms={service} />
    </Card>
  );
}

function DataCard({ asset }: { asset: AssetAnswer }) {
  const text = useWords(assetsText);
  return (
    <Card title={text.data}>
      {asset.addedAt === undefined && <p class="muted">{text.notHeld}</p>}
      <dl class="facts">
        {asset.addedAt !== undefined && (
          <Fact name={text.since}>
            <Time at={asset.addedAt} />
          </Fact>
        )}
        {asset.sizeBytes !== undefined && <Fact name={text.size}>{bytes(asset.sizeBytes)}</Fact>}
        {asset.data?.rows !== undefined && <Fact name={text.rows}>{asset.data.rows.toLocaleString('en')}</Fact>}
        {asset.path !== undefined && (
          <Fact name={text.path}>
            <code class="wrap">{asset.path}</code>
          </Fact>
        )}
      </dl>
      {asset.data && <Columns data={asset.data} />}
    </Card>
  );
}

export function Columns({ data }: { data: Description }) {
  const text = useWords(assetsText);
  if (data.columns === undefined)
    return (
      <p class="muted">
        {text.noSchema} <code>{data.unreadable}</code>
      </p>
    );
  return (
    <details class="schema" open={data.columns.length <= 12}>
      <summary>{text.columns(data.columns.length)}</summary>
      <ul class="schema-columns">
        {data.columns.slice(0, COLUMNS).map(({ name, type }, i) => (
          <li key={i}>
            <code class="wrap">{name}</code> <span class="muted">{text.types[type] ?? type}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
