import type { ComponentType } from 'preact';
import { useEffect, useErrorBoundary, useState } from 'preact/hooks';
import { type Problem, problemOf } from './api/http.js';
import type { Home, Role } from './api/types.js';
import { useApp } from './app.js';
import { useWords } from './i18n.js';
import { AssetsPage } from './pages/assets/page.js';
import { JobsPage } from './pages/jobs/page.js';
import { OverviewPage } from './pages/overview/page.js';
import { RequestsPage } from './pages/requests/page.js';
import { SettingsPage } from './pages/settings/page.js';
import { SignInPage } from './pages/sign-in/page.js';
import { VerifyPage } from './pages/verify/page.js';
import { shellText } from './shell-text.js';
import { Button, Empty, PageHead, ProblemView, Skeleton } from './ui/basics.js';
import { common } from './ui/common-text.js';
import { Icon, type IconName } from './ui/icon.js';
import { Lazy } from './ui/lazy.js';
import { NameOrId } from './ui/name.js';
import { Tastes } from './ui/tastes.js';

interface PageEntry {
  readonly name: IconName & keyof typeof shellText.en;
  readonly page: ComponentType;
  readonly roles: readonly Role[];
}

const LineagePage = () => <Lazy load={async () => (await import('./pages/lineage/page.js')).LineagePage} />;
const looking: readonly Role[] = ['owner', 'operator', 'viewer'];
const pages: readonly PageEntry[] = [
  { name: 'overview', page: OverviewPage, roles: looking },
  { name: 'requests', page: RequestsPage, roles: looking },
  { name: 'jobs', page: JobsPage, roles: [...looking, 'auditor'] },
  { name: 'assets', page: AssetsPage, roles: looking },
  { name: 'lineage', page: LineagePage, roles: [...looking, 'auditor'] },
  { name: 'verify', page: VerifyPage, roles: [...looking, 'auditor'] },
  { name: 'settings', page: SettingsPage, roles: ['owner', 'operator'] },
];

/** The frame around all pages; before anybody is signed in, the one page for that. */
export function Shell() {
  const { http, home } = useApp();
  const [problem, setProblem] = useState<Problem>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    setProblem(undefined);
    http.get<Home>('/v1/session').then(
      (found) => {
        home.value = found;
      },
      (error: unknown) => setProblem(problemOf(error)),
    );
  }, [http, home, attempt]);
  if (problem !== undefined)
    return (
      <main class="gate">
        <ProblemView problem={problem} onRetry={() => setAttempt(attempt + 1)} />
      </main>
    );
  if (home.value === undefined)
    return (
      <main class="gate">
        <Skeleton lines={2} />
      </main>
    );
  return home.value.session === undefined ? <SignInPage /> : <SignedIn />;
}

function SignedIn() {
  const { home, router } = useApp();
  const text = useWords(shellText);
  const role = home.value?.session?.role ?? 'viewer';
  const mine = pages.filter(({ roles }) => roles.includes(role));
  const [first = mine[0]?.name] = router.route.value.parts;
  const shown = mine.find(({ name }) => name === first);
  useEffect(() => {
    document.title = `${shown === undefined ? text.notFound : text[shown.name]} · ${text.brand}`;
  }, [shown, text]);
  return (
    <div class="shell">
      <button type="button" class="skip button primary" onClick={() => document.getElementById('main')?.focus()}>
        {text.skip}
      </button>
      <Sidebar pages={mine} current={shown?.name} />
      <main id="main" tabIndex={-1}>
        {shown === undefined ? <NotFound /> : <Guarded key={shown.name} page={shown.page} />}
      </main>
    </div>
  );
}

function Sidebar({ pages: entries, current }: { pages: readonly PageEntry[]; current: string | undefined }) {
  const { home, http } = useApp();
  const text = useWords(shellText);
  const { roles } = useWords(common);
  const session = home.value?.session;
  const signOut = async (): Promise<void> => {
    await http.delete('/v1/session').catch(() => undefined);
    if (home.value === undefined) return;
    const { session: _, ...rest } = home.value;
    home.value = rest;
  };
  return (
    <header class="sidebar">
      <div class="brand">
        <img src="./icon.svg" alt="" width="28" height="28" />
        <div>
          <strong>{home.value !== undefined && <NameOrId id={home.value.organization} />}</strong>
          <span class="muted">{text.brand}</span>
        </div>
        <LiveDot />
      </div>
      <nav aria-label={text.navigation}>
        {entries.map(({ name }) => (
          <a key={name} href={`#/${name}`} aria-current={current === name ? 'page' : undefined}>
            <Icon name={name} size={20} />
            <span>{text[name]}</span>
          </a>
        ))}
      </nav>
      <div class="sidebar-foot">
        <Tastes />
        {session !== undefined && (
          <div class="who">
            <span title={session.subject}>{roles[session.role]}</span>
            <button type="button" class="icon-button" onClick={signOut} aria-label={text.signOut} title={text.signOut}>
              <Icon name="exit" />
            </button>
          </div>
        )}
      </div>
    </header>
  );
}

function LiveDot() {
  const { live } = useApp();
  const text = useWords(shellText);
  const state = live.state.value;
  return <span class={`live-dot ${state}`} role="status" aria-label={text[state]} title={text[state]} />;
}

function Guarded({ page: Page }: { page: ComponentType }) {
  const text = useWords(shellText);
  const [error, reset] = useErrorBoundary();
  if (error === undefined) return <Page />;
  return (
    <Empty icon="cross" title={text.failed}>
      <p>{problemOf(error).detail}</p>
      <Button icon="again" onClick={reset}>
        {text.reload}
      </Button>
    </Empty>
  );
}

function NotFound() {
  const text = useWords(shellText);
  return <PageHead title={text.notFound} about={<a href="#/">{text.toOverview}</a>} />;
}
