import { effect } from '@preact/signals';
import { render } from 'preact';
import { AppContext, createApp, remember } from './app.js';
import { Shell } from './shell.js';
import './styles/index.css';

const app = createApp();
app.router.start();

effect(() => {
  document.documentElement.lang = app.language.value === 'zh' ? 'zh-CN' : 'en';
  remember('language', app.language.value);
});
effect(() => {
  document.documentElement.dataset['theme'] = app.theme.value;
  remember('theme', app.theme.value);
});
effect(() => {
  if (app.home.value?.session === undefined) app.live.stop();
  else app.live.start();
});

// A token that was just minted may have a name now.
app.live.subscribe((topic) => {
  if (topic === 'chain' || topic === 'everything') app.names.askAgain();
});

const root = document.getElementById('app');
if (root !== null)
  render(
    <AppContext.Provider value={app}>
      <Shell />
    </AppContext.Provider>,
    root,
  );
