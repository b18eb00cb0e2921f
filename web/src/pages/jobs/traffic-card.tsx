import { useQuery } from '../../api/query.js';
import type { Run } from '../../api/types.js';
import { useWords } from '../../i18n.js';
import { bytes, Card } from '../../ui/basics.js';
import { Name } from '../../ui/name.js';
import { jobsText } from './text.js';

interface Count {
  readonly bytes: number;
  readonly messages: number;
}

interface JointReceipt {
  readonly receipt: {
    readonly joint?: {
      readonly peers: readonly { readonly seat: string; readonly organization: string; readonly sent?: Count; readonly received?: Count }[];
    };
  };
}

/** Of a joint job: what crossed the link to each peer, as both ends agreed in their receipts. */
export function TrafficCard({ run }: { run: Run }) {
  const text = useWords(jobsText);
  const { data } = useQuery<JointReceipt>(`/v1/jobs/${run.id}/receipt`);
  const peers = data?.receipt.joint?.peers;
  if (peers === undefined) return null;
  return (
    <Card title={text.traffic}>
      <table>
        <thead>
          <tr>
            <th>{text.peer}</th>
            <th class="number">{text.sent}</th>
            <th class="number">{text.received}</th>
          </tr>
        </thead>
        <tbody>
          {peers.map(({ organization, sent, received }) => (
            <tr key={organization}>
              <td>
                <Name id={organization} />
              </td>
              <td class="number">{sent ? bytes(sent.bytes) : '–'}</td>
              <td class="number">{received ? bytes(received.bytes) : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
