import { useEffect, useState } from 'preact/hooks';
import { type Change, useChange } from '../../api/query.js';
import type { Session } from '../../api/types.js';
import { accountOf, findWallets, signMessage, type WalletChoice } from '../../api/wallet.js';
import { type App, useApp } from '../../app.js';
import { useWords } from '../../i18n.js';
import { Button, Card, Field, ProblemView, ShortId, Skeleton } from '../../ui/basics.js';
import { Tastes } from '../../ui/tastes.js';
import { signInText } from './text.js';

/** What a link for an auditor looks like: `#/link/<secret>`. The fragment is not sent to any server and is taken away at once. */
const LINK = 'link';

export function SignInPage() {
  const app = useApp();
  const text = useWords(signInText);
  const home = app.home.value;
  useEffect(() => {
    document.title = text.title;
  }, [text]);
  const [linkSecret] = useState(() => takeLink(app));
  return (
    <main class="gate">
      <div class="gate-head">
        <img src="./icon.svg" alt="" width="44" height="44" />
        <h1>{text.title}</h1>
        <p class="muted">
          {text.of} {home !== undefined && <ShortId id={home.organization} />}
        </p>
      </div>
      {linkSecret === undefined ? (
        <>
          <WalletCard />
          <SecretCard />
        </>
      ) : (
        <LinkCard secret={linkSecret} />
      )}
      <Tastes />
    </main>
  );
}

function takeLink({ router }: App): string | undefined {
  const { parts } = router.route.value;
  if (parts[0] !== LINK || parts[1] === undefined) return undefined;
  router.replace('/');
  return parts[1];
}

/** The daemon has set the cookie; what is left is to know who one is. */
async function enter({ http, home }: App, path: string, body: unknown): Promise<void> {
  const { session } = await http.post<{ session: Session }>(path, body);
  if (home.value !== undefined) home.value = { ...home.value, session };
}

function WalletCard() {
  const app = useApp();
  const text = useWords(signInText);
  const change = useChange();
  const [wallets, setWallets] = useState<readonly WalletChoice[]>([]);
  useEffect(() => findWallets(setWallets), []);
  const organization = app.home.value?.organization ?? '';
  const sign = async (wallet: WalletChoice): Promise<void> => {
    const account = await accountOf(wallet, organization).catch(() => {
      throw new Error(text.walletRefused);
    });
    if (account === undefined) throw new Error(text.otherAccount(organization));
    const challenge = await app.http.post<{ message: string }>('/v1/session/challenge');
    const signature = await signMessage(wallet, challenge.message, account).catch(() => {
      throw new Error(text.walletRefused);
    });
    await enter(app, '/v1/session/wallet', { challenge, signature });
  };
  return (
    <Card title={text.walletTitle}>
      <p class="muted">{wallets.length === 0 ? text.noWallet : text.walletAbout}</p>
      {wallets.map((wallet) => (
        <Button key={wallet.id} kind="primary" isBusy={change.isBusy} onClick={() => change.run(() => sign(wallet))}>
          {text.walletWith(wallet.name)}
        </Button>
      ))}
      <Failure change={change} />
    </Card>
  );
}

function SecretCard() {
  const app = useApp();
  const text = useWords(signInText);
  const change = useChange();
  const [secret, setSecret] = useState('');
  return (
    <Card title={text.codeTitle}>
      <p class="muted">{text.codeAbout}</p>
      <pre class="command">{'dt daemon login --key <name>'}</pre>
      <form
        class="row-form"
        onSubmit={(event) => {
          event.preventDefault();
          change.run(() => enter(app, '/v1/session/secret', { secret }));
        }}
      >
        <Field label={text.code}>
          <input
            name="code"
            class="code-input"
            autoComplete="off"
            autoCapitalize="characters"
            spellcheck={false}
            required
            minLength={8}
            maxLength={100}
            value={secret}
            onInput={(event) => setSecret(event.currentTarget.value)}
          />
        </Field>
        <Button type="submit" kind="primary" isBusy={change.isBusy}>
          {text.enter}
        </Button>
      </form>
      <Failure change={change} />
    </Card>
  );
}

function LinkCard({ secret }: { secret: string }) {
  const app = useApp();
  const text = useWords(signInText);
  const change = useChange();
  const { run } = change;
  useEffect(() => {
    run(() => enter(app, '/v1/session/secret', { secret }));
  }, [app, run, secret]);
  return (
    <Card title={text.linkTitle}>{change.problem === undefined ? <Skeleton lines={2} /> : <p role="alert">{text.linkFailed}</p>}</Card>
  );
}

const Failure = ({ change: { problem } }: { change: Change }) => (problem === undefined ? null : <ProblemView problem={problem} />);
