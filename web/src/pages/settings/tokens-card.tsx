import { useState } from 'preact/hooks';
import { useChange, useQuery } from '../../api/query.js';
import type { AccessToken, Role } from '../../api/types.js';
import { useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Badge, Button, Card, Field, ProblemView, ShortId, Skeleton } from '../../ui/basics.js';
import { common } from '../../ui/common-text.js';
import { Dialog } from '../../ui/dialog.js';
import { Time } from '../../ui/time.js';
import { settingsText } from './text.js';

type Made = AccessToken & { readonly secret: string };
type Asking =
  | { readonly kind: 'new' }
  | { readonly kind: 'made'; readonly made: Made }
  | { readonly kind: 'revoke'; readonly token: AccessToken };

export function TokensCard() {
  const text = useWords(settingsText);
  const { roles } = useWords(common);
  const { data, problem, isLoading, reload } = useQuery<{ tokens: readonly AccessToken[] }>('/v1/tokens', ['access']);
  const [asking, setAsking] = useState<Asking>();
  const close = (): void => setAsking(undefined);
  const add = (
    <Button kind="primary" icon="plus" onClick={() => setAsking({ kind: 'new' })}>
      {text.newToken}
    </Button>
  );
  return (
    <Card title={text.access} actions={add}>
      <p class="muted">{text.accessAbout}</p>
      {problem && <ProblemView problem={problem} onRetry={reload} />}
      {isLoading && <Skeleton />}
      {data?.tokens.length === 0 && <p class="muted">{text.none}</p>}
      <ul class="entries">
        {data?.tokens.map((token) => (
          <li key={token.id}>
            <span class="entry-name">{token.label}</span>
            <Badge>{roles[token.role]}</Badge>
            <span class="muted">
              {text.until} <Time at={token.expiresAt} />
              {', '}
              {token.usedAt === undefined ? (
                text.unused
              ) : (
                <>
                  {text.used} <Time at={token.usedAt} />
                </>
              )}
              {token.scope !== undefined && (
                <>
                  {', '}
                  {text.trace} <ShortId id={token.scope} />
                </>
              )}
            </span>
            <span class="entry-action">
              <Button kind="quiet" label={`${text.revoke}: ${token.label}`} onClick={() => setAsking({ kind: 'revoke', token })}>
                {text.revoke}
              </Button>
            </span>
          </li>
        ))}
      </ul>
      {asking?.kind === 'new' && <NewToken onClose={close} onMade={(made) => setAsking({ kind: 'made', made })} />}
      {asking?.kind === 'made' && <MadeToken made={asking.made} onClose={close} />}
      {asking?.kind === 'revoke' && <RevokeToken token={asking.token} onClose={close} />}
    </Card>
  );
}

const choices: readonly Role[] = ['viewer', 'operator', 'auditor', 'owner'];

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (made: Made) => void }) {
  const { http } = useApp();
  const text = useWords(settingsText);
  const { roles, cancel } = useWords(common);
  const change = useChange();
  const [role, setRole] = useState<Role>('viewer');
  const [label, setLabel] = useState('');
  const [hours, setHours] = useState('24');
  const [scope, setScope] = useState('');
  const make = async (): Promise<void> => {
    const isScoped = role === 'auditor' && scope.trim() !== '';
    const asked = { role, label: label.trim(), hours: Number(hours), ...(isScoped && { scope: scope.trim() }) };
    await change.run(async () => onMade(await http.post<Made>('/v1/tokens', asked)));
  };
  return (
    <Dialog title={text.newToken} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          make();
        }}
      >
        <Field label={text.label} hint={text.labelHint}>
          <input name="label" required maxLength={100} value={label} onInput={(event) => setLabel(event.currentTarget.value)} />
        </Field>
        <Field label={text.role} hint={text.roleHint[role]}>
          <select name="role" value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
            {choices.map((name) => (
              <option key={name} value={name}>
                {roles[name]}
              </option>
            ))}
          </select>
        </Field>
        <Field label={text.hours}>
          <select name="hours" value={hours} onChange={(event) => setHours(event.currentTarget.value)}>
            {Object.entries(text.hourChoices).map(([value, name]) => (
              <option key={value} value={value}>
                {name}
              </option>
            ))}
          </select>
        </Field>
        {role === 'auditor' && (
          <Field label={text.scope} hint={text.scopeHint}>
            <input
              name="scope"
              pattern="dt:ownership:[0-9a-f]{64}"
              placeholder="dt:ownership:…"
              value={scope}
              onInput={(event) => setScope(event.currentTarget.value)}
            />
          </Field>
        )}
        {change.problem && <ProblemView problem={change.problem} />}
        <div class="actions end">
          <Button onClick={onClose}>{cancel}</Button>
          <Button type="submit" kind="primary" isBusy={change.isBusy}>
            {text.make}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function MadeToken({ made, onClose }: { made: Made; onClose: () => void }) {
  const text = useWords(settingsText);
  const link = `${location.origin}${location.pathname}#/link/${made.secret}`;
  return (
    <Dialog title={text.madeTitle} onClose={onClose}>
      <p>{text.madeAbout}</p>
      <Field label={text.secret}>
        <input class="code-input" name="secret" readOnly value={made.secret} onFocus={(event) => event.currentTarget.select()} />
      </Field>
      <Field label={text.linkTo} hint={text.linkAbout}>
        <input class="code-input" name="link" readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
      </Field>
      <div class="actions end">
        <Button kind="primary" onClick={onClose}>
          {text.done}
        </Button>
      </div>
    </Dialog>
  );
}

function RevokeToken({ token, onClose }: { token: AccessToken; onClose: () => void }) {
  const { http } = useApp();
  const text = useWords(settingsText);
  const { cancel } = useWords(common);
  const change = useChange();
  const revoke = async (): Promise<void> => {
    if (await change.run(() => http.delete(`/v1/tokens/${token.id}`))) onClose();
  };
  return (
    <Dialog title={text.revoke} onClose={onClose}>
      <p>{text.revokeAsk(token.label)}</p>
      {change.problem && <ProblemView problem={change.problem} />}
      <div class="actions end">
        <Button onClick={onClose}>{cancel}</Button>
        <Button kind="danger" isBusy={change.isBusy} onClick={revoke}>
          {text.revoke}
        </Button>
      </div>
    </Dialog>
  );
}
