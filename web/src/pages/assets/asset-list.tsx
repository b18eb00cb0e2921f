import { useQuery } from '../../api/query.js';
import type { HeldAsset } from '../../api/types.js';
import { useRole } from '../../app.js';
import { useWords } from '../../i18n.js';
import { bytes, Card, Empty, PageHead, ProblemView, Sentence, ShortId, Skeleton } from '../../ui/basics.js';
import { Icon } from '../../ui/icon.js';
import { Time } from '../../ui/time.js';
import { assetsText } from './text.js';

export function AssetList() {
  const text = useWords(assetsText);
  const { isOwner } = useRole();
  const { data, problem, isLoading, reload } = useQuery<{ assets: readonly HeldAsset[] }>('/v1/assets', ['assets']);
  return (
    <>
      <PageHead title={text.title} about={text.about}>
        {isOwner && (
          <a class="button primary" href="#/assets/new">
            <Icon name="plus" size={16} />
            {text.publishNew}
          </a>
        )}
      </PageHead>
      {problem && <ProblemView problem={problem} onRetry={reload} />}
      {isLoading && <Skeleton lines={5} />}
      {data?.assets.length === 0 && (
        <Empty icon="assets" title={text.none}>
          <Sentence text={text.noneAbout} />
        </Empty>
      )}
      <div class="grid">
        {data?.assets.map((asset) => (
          <Card
            key={asset.token}
            title={
              <a class="card-link wrap" href={`#/assets/${asset.token}`}>
                {asset.name ?? asset.token.slice(0, 22)}
              </a>
            }
          >
            <dl class="facts">
              <div>
                <dt>{text.token}</dt>
                <dd>
                  <ShortId id={asset.token} link={`#/lineage/${asset.token}`} />
                </dd>
              </div>
              {asset.sizeBytes !== undefined && (
                <div>
                  <dt>{text.size}</dt>
                  <dd>{bytes(asset.sizeBytes)}</dd>
                </div>
              )}
              <div>
                <dt>{text.since}</dt>
                <dd>
                  <Time at={asset.addedAt} />
                </dd>
              </div>
              {asset.path !== undefined && (
                <div>
                  <dt>{text.path}</dt>
                  <dd>
                    <code class="wrap">{asset.path}</code>
                  </dd>
                </div>
              )}
            </dl>
          </Card>
        ))}
      </div>
    </>
  );
}
