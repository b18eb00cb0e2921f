import type { OutputRule, ReleaseTerms } from '../../../../src/documents/ddo/release-terms.js';
import { useWords } from '../../i18n.js';
import { bytes } from '../../ui/basics.js';
import { type TermsText, termsText } from './terms-text.js';
import { assetsText } from './text.js';

/** What may leave and what the owner is asked, in words. */
export function TermsList({ terms: { outputs, approval, retentionHours, runs } }: { terms: ReleaseTerms }) {
  const text = useWords(assetsText);
  const words = useWords(termsText);
  return (
    <ul class="terms">
      <li>
        {outputs === undefined ? text.anyOutput : outputs.length === 0 ? text.noOutput : text.onlyOutput}
        {outputs !== undefined && outputs.length > 0 && (
          <ul>
            {outputs.map((rule, i) => (
              <li key={i}>
                <code class="wrap">{rule.name}</code> <span class="muted">{outputWords(rule, words)}</span>
              </li>
            ))}
          </ul>
        )}
      </li>
      {approval !== undefined && <li>{approval === 'manual' ? text.approval : words.approvalFor(approval.deadlineHours)}</li>}
      {runs !== undefined && <li>{words.limit(runs.limit, runs.perHours, runs.per === 'consumer')}</li>}
      {retentionHours !== undefined && <li>{text.retention(retentionHours)}</li>}
    </ul>
  );
}

function outputWords({ mediaType, maxBytes, minGroupSize, schema, recipient, hold }: OutputRule, text: TermsText): string {
  const facts = [
    mediaType,
    maxBytes !== undefined && text.asMuch(bytes(maxBytes)),
    minGroupSize !== undefined && text.groups(String(minGroupSize.size), minGroupSize.column),
    schema !== undefined && text.inSchema,
    recipient === 'owner' && text.forOwner,
    hold !== undefined && (hold === true ? text.heldUsual : text.heldFor(hold.deadlineHours)),
  ];
  return facts.filter((fact) => typeof fact === 'string').join(', ');
}
