import { useQuery } from '../../api/query.js';
import type { HeldAsset } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { bytes, Card, Empty, PageHead, ProblemView, Sentence, ShortId, Skeleton, Time } from '../../ui/basics.js';
import { NameOrId } from '../../ui/name.js';
import { assetsText } from './text.js';

export function AssetsPage() {
  const text = useWords(assetsText);
  const { data, problem, isLoading, reload } = useQuery<{ assets: readonly HeldAsset[] }>('/v1/assets', ['assets']);
  return (
    <>
      <PageHead title={text.title} about={text.about} />
      {problem && <ProblemView problem={problem} onRetry={reload} />}
      {isLoading && <Skeleton lines={5} />}
      {data?.assets.length === 0 && (
        <Empty icon="assets" title={text.none}>
          <Sentence text={text.noneAbout} />
        </Empty>
      )}
      <div class="grid">
        {data?.assets.map((asset) => (
          <Card key={asset.token} title={<NameOrId id={asset.token} />}>
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
