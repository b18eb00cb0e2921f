import { useState } from 'preact/hooks';
import { useChange } from '../../api/query.js';
import { useApp, useRole } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Badge, Button, Card, Field, ProblemView, type Tone } from '../../ui/basics.js';
import { common } from '../../ui/common-text.js';
import { Dialog } from '../../ui/dialog.js';
import { Time } from '../../ui/time.js';
import type { AssetAnswer, Grant } from './answers.js';
import { assetsText } from './text.js';

const tones: Readonly<Record<Grant['state'], Tone>> = { live: 'good', none: 'plain', expired: 'wait', revoked: 'bad' };

/** Who was granted the asset, until when, and the owner's way to take it back or to give it. */
export function GrantsCard({ asset, onChanged }: { asset: AssetAnswer; onChanged: () => void }) {
  const { http } = useApp();
  const { isOwner } = useRole();
  const text = useWords(assetsText);
  const words = useWords(common);
  const change = useChange();
  const [asking, setAsking] = useState<Grant>();
  /** The last day of a grant, empty: without an end. */
  const [lastDay, setLastDay] = useState('');
  const path = `/v1/assets/${asset.token}/grants`;
  const act = async ({ composite, state }: Grant): Promise<void> => {
    const work = () => (state === 'live' ? http.delete(`${path}/${composite}`) : http.post(path, { composite, until: endOf(lastDay) }));
    if (!(await change.run(work))) return;
    setAsking(undefined);
    setLastDay('');
    onChanged();
  };
  const close = (): void => {
    change.clear();
    setAsking(undefined);
  };
  return (
    <Card title={text.grants}>
      {asset.grants.length === 0 && <p class="muted">{text.noGrants}</p>}
      <ul class="grant-list">
        {asset.grants.map((grant) => (
          <li key={grant.composite}>
            <a class="wrap" href={`#/lineage/${grant.composite}`}>
              {grant.name ?? grant.composite.slice(0, 22)}
            </a>
            <span class="muted wrap">{grant.ownerName ?? grant.owner}</span>
            <span class="grant-state">
              <Badge tone={tones[grant.state]}>{text.states[grant.state]}</Badge>
              {grant.until === undefined ? (
                grant.state === 'live' && <small class="muted">{text.forever}</small>
              ) : (
                <small class="muted">
                  {grant.state === 'expired' ? text.expiredAt : text.until} <Time at={grant.until} />
                </small>
              )}
              {isOwner && (
                <Button kind="quiet" onClick={() => setAsking(grant)}>
                  {grant.state === 'live' ? text.revoke : text.grant}
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {asking && (
        <Dialog title={asking.state === 'live' ? text.revoke : text.grant} onClose={close}>
          <p class="wrap">{asking.state === 'live' ? text.revokeAbout : text.grantAbout}</p>
          <p class="wrap">
            <strong>{asking.name ?? asking.composite}</strong> <span class="muted">{asking.ownerName}</span>
          </p>
          {asking.state !== 'live' && (
            <Field label={text.lastDay}>
              <input type="date" name="lastDay" value={lastDay} onInput={(event) => setLastDay(event.currentTarget.value)} />
            </Field>
          )}
          {change.problem && <ProblemView problem={change.problem} />}
          <div class="actions end">
            <Button onClick={close}>{words.close}</Button>
            <Button kind={asking.state === 'live' ? 'danger' : 'primary'} isBusy={change.isBusy} onClick={() => act(asking)}>
              {asking.state === 'live' ? text.revoke : text.grant}
            </Button>
          </div>
        </Dialog>
      )}
    </Card>
  );
}

/** The end of that day here, in seconds since 1970; 0: without an end. */
const endOf = (lastDay: string): number => (lastDay === '' ? 0 : Math.floor(new Date(`${lastDay}T23:59:59`).getTime() / 1000));
