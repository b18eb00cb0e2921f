import { useWords } from '../../i18n.js';
import { PageHead } from '../../ui/basics.js';
import { lineageText } from './text.js';

export function LineagePage() {
  const text = useWords(lineageText);
  return <PageHead title={text.title} />;
}
