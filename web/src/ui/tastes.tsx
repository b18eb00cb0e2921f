import { type Theme, useApp } from '../app.js';
import { useWords } from '../i18n.js';
import { type Language, languages } from '../language.js';
import { shellText } from '../shell-text.js';
import { Icon, type IconName } from './icon.js';

const themes: Readonly<Record<Theme, { readonly icon: IconName; readonly next: Theme }>> = {
  auto: { icon: 'auto', next: 'light' },
  light: { icon: 'sun', next: 'dark' },
  dark: { icon: 'moon', next: 'auto' },
};

/** Language and appearance. */
export function Tastes() {
  const { language, theme } = useApp();
  const text = useWords(shellText);
  const { icon, next } = themes[theme.value];
  const other: Language = language.value === 'en' ? 'zh' : 'en';
  return (
    <div class="tastes">
      <button
        type="button"
        class="icon-button"
        aria-label={`${text.theme}: ${text[theme.value]}`}
        title={`${text.theme}: ${text[theme.value]}`}
        onClick={() => {
          theme.value = next;
        }}
      >
        <Icon name={icon} />
      </button>
      <button
        type="button"
        class="text-button"
        lang={other === 'zh' ? 'zh-CN' : 'en'}
        aria-label={`${text.language}: ${languages[other]}`}
        onClick={() => {
          language.value = other;
        }}
      >
        {languages[other]}
      </button>
    </div>
  );
}
