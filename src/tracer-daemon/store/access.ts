import type { Bytes32, TokenId } from '../../documents/ids.js';
import type { Role } from '../web/role.js';

/** `code` opens one session, within minutes; `token` opens any number, and serves programs, until it expires or is revoked. */
export type AccessTokenKind = 'code' | 'token';

/** Times are milliseconds since 1970. */
export interface AccessToken {
  readonly id: string;
  readonly kind: AccessTokenKind;
  readonly role: Role;
  /** For whom it was made, in the owner's words. */
  readonly label: string;
  /** An auditor's token may be for the trace of this one data token alone. */
  readonly scope: TokenId | undefined;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedAt: number | undefined;
}

export interface Session {
  readonly id: string;
  readonly role: Role;
  /** The label of the token that opened it, or the address that signed. */
  readonly subject: string;
  readonly scope: TokenId | undefined;
  readonly createdAt: number;
  readonly seenAt: number;
  /** Moves on while it is used, never beyond `endsAt`. */
  readonly expiresAt: number;
  readonly endsAt: number;
}

export interface SessionTimes {
  /** How long it lives without being used. */
  readonly idleMs: number;
  readonly longestMs: number;
}

/** Who may come in without signing each request. Takes digests of secrets, never the secrets. */
export interface AccessStore {
  issue(token: Omit<AccessToken, 'id' | 'createdAt' | 'usedAt'>, secretDigest: Bytes32): Promise<AccessToken>;
  /** The token, if it is good now; its use is noted. A code cannot be used so. */
  useToken(secretDigest: Bytes32): Promise<AccessToken | undefined>;
  /** A session for the holder of a code, which is gone with this, or of a token. undefined: the secret is not good, or not any more. */
  exchange(secretDigest: Bytes32, session: Bytes32, times: SessionTimes): Promise<Session | undefined>;
  /** A session for an identity that was proven otherwise. */
  open(proven: { readonly role: Role; readonly subject: string }, session: Bytes32, times: SessionTimes): Promise<Session>;
  /** The session, if it lives; its life is prolonged. */
  useSession(session: Bytes32, times: SessionTimes): Promise<Session | undefined>;
  /** The same without prolonging it. */
  liveSession(id: string): Promise<Session | undefined>;
  /** Those that are good now, newest first; codes are not listed. */
  tokens(): Promise<readonly AccessToken[]>;
  sessions(): Promise<readonly Session[]>;
  /** Ends its sessions, too. False: there is none. */
  revoke(tokenId: string): Promise<boolean>;
  end(sessionId: string): Promise<boolean>;
}
