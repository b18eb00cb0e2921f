import { useWords } from '../../i18n.js';
import { kinds } from './answer.js';
import { looks } from './paths.js';
import { lineageText } from './text.js';

export function Legend() {
  const text = useWords(lineageText);
  return (
    <ul class="legend" aria-label={text.legend}>
      {kinds.map((kind) => (
        <li key={kind}>
          <span class={`kind-dot ${kind}`} aria-hidden="true" /> {text.kinds[kind]}
        </li>
      ))}
      {looks.map((look) => (
        <li key={look}>
          <svg width="30" height="10" aria-hidden="true">
            <path class={`edge ${look}`} d="M1 5h28" />
          </svg>{' '}
          {text.grants[look]}
        </li>
      ))}
    </ul>
  );
}
