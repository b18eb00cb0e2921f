import { type Signal, signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { Http } from './api/http.js';
import { Live } from './api/live.js';
import { Names } from './api/names.js';
import type { Home, Role } from './api/types.js';
import { firstLanguage, type Language } from './language.js';
import { Router } from './router.js';

export type Theme = 'auto' | 'light' | 'dark';

/** What all parts of the page share; made once, in main.tsx. */
export interface App {
  readonly http: Http;
  readonly live: Live;
  readonly names: Names;
  readonly router: Router;
  readonly home: Signal<Home | undefined>;
  readonly language: Signal<Language>;
  readonly theme: Signal<Theme>;
}

export function createApp(): App {
  const home = signal<Home | undefined>(undefined);
  const signedOut = (): void => {
    const { session: _, ...rest } = home.value ?? {};
    if (home.value !== undefined) home.value = rest as Home;
  };
  const http = new Http(signedOut);
  return {
    http,
    live: new Live(http.url('/v1/events'), signedOut),
    names: new Names(http),
    router: new Router(),
    home,
    language: signal(remembered('language', ['en', 'zh']) ?? firstLanguage()),
    theme: signal(remembered('theme', ['auto', 'light', 'dark']) ?? 'auto'),
  };
}

/** Tastes, never secrets. */
function remembered<T extends string>(key: string, allowed: readonly T[]): T | undefined {
  const found = localStorage.getItem(`dt-${key}`);
  return allowed.find((value) => value === found);
}

export const remember = (key: 'language' | 'theme', value: string): void => localStorage.setItem(`dt-${key}`, value);

export const AppContext = createContext<App | undefined>(undefined);

export function useApp(): App {
  const app = useContext(AppContext);
  if (app === undefined) throw new Error('outside of the page');
  return app;
}

/** Whether who is signed in has one of the roles. The daemon decides; this keeps buttons away that would only be refused. */
export function useRole(): { readonly role: Role; readonly isOwner: boolean; readonly isRunning: boolean; readonly isLooking: boolean } {
  const role = useApp().home.value?.session?.role ?? 'viewer';
  return { role, isOwner: role === 'owner', isRunning: role === 'owner' || role === 'operator', isLooking: role !== 'auditor' };
}
