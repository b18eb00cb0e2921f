import { useQuery } from '../../api/query.js';
import { useRole } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Card, PageHead, ProblemView, Skeleton } from '../../ui/basics.js';
import { common } from '../../ui/common-text.js';
import { SessionsCard } from './sessions-card.js';
import { settingsText } from './text.js';
import { TokensCard } from './tokens-card.js';

export function SettingsPage() {
  const text = useWords(settingsText);
  const { isOwner } = useRole();
  return (
    <>
      <PageHead title={text.title} about={text.about} />
      {isOwner && <TokensCard />}
      {isOwner && <SessionsCard />}
      <LimitsCard />
    </>
  );
}

type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function LimitsCard() {
  const text = useWords(settingsText);
  const words = useWords(common);
  const { data, problem, isLoading, reload } = useQuery<Settings>('/v1/settings');
  const show = (value: unknown): string => {
    if (typeof value === 'boolean') return value ? words.yes : words.no;
    if (Array.isArray(value)) return value.join(', ') || '–';
    return text.words[value as keyof typeof text.words] ?? String(value);
  };
  return (
    <Card title={text.limits}>
      <p class="muted">{text.limitsAbout}</p>
      {problem && <ProblemView problem={problem} onRetry={reload} />}
      {isLoading && <Skeleton lines={6} />}
      <div class="limit-groups">
        {Object.entries(data ?? {}).map(([group, values]) => (
          <div key={group}>
            <h3>{group in text.groups ? text.groups[group as keyof typeof text.groups] : group}</h3>
            <dl class="facts">
              {Object.entries(values).map(([key, value]) => (
                <div key={key}>
                  <dt>{key in text.values ? text.values[key as keyof typeof text.values] : key}</dt>
                  <dd class="wrap">{show(value)}</dd>
                </div>
              ))}
            </dl>
          </div>
        ))}
      </div>
    </Card>
  );
}
