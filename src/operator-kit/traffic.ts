import type { OperatorSession } from './operator-session.js';

/** What has crossed one link, framing and encryption left out. */
export interface LinkTraffic {
  readonly name: string;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  readonly messages_sent: number;
  readonly messages_received: number;
}

/** What has crossed this party's links so far, by the seat of the peer, as it goes into a report. */
export function trafficOf(session: OperatorSession): Record<string, LinkTraffic> {
  const peers = session.seats.filter(({ seat }) => seat !== session.seat);
  return Object.fromEntries(
    peers.map(({ seat, name }) => {
      const { bytesSent, bytesReceived, messagesSent, messagesReceived } = session.channel(seat).counters;
      return [
        seat,
        { name, bytes_sent: bytesSent, bytes_received: bytesReceived, messages_sent: messagesSent, messages_received: messagesReceived },
      ];
    }),
  );
}
