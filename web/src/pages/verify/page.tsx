import { useWords } from '../../i18n.js';
import { PageHead } from '../../ui/basics.js';
import { verifyText } from './text.js';

export function VerifyPage() {
  const text = useWords(verifyText);
  return <PageHead title={text.title} />;
}
