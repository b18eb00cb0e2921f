/** The part of EIP-1193 that signing in needs. */
interface Provider {
  request(call: { method: string; params?: readonly unknown[] }): Promise<unknown>;
}

export interface WalletChoice {
  readonly id: string;
  readonly name: string;
  readonly provider: Provider;
}

declare global {
  interface Window {
    ethereum?: Provider;
  }
}

interface Announcement {
  readonly info: { readonly uuid: string; readonly name: string };
  readonly provider: Provider;
}

/** Wallets tell of themselves when they are asked (EIP-6963); older ones are just there. Returns the end of listening. */
export function findWallets(onFound: (wallets: readonly WalletChoice[]) => void): () => void {
  const found = new Map<string, WalletChoice>();
  const tell = (): void => {
    const { ethereum } = window;
    if (found.size > 0 || ethereum === undefined) onFound([...found.values()]);
    else onFound([{ id: 'injected', name: 'Browser wallet', provider: ethereum }]);
  };
  const onAnnounce = (event: Event): void => {
    const { info, provider } = (event as CustomEvent<Announcement>).detail;
    found.set(info.uuid, { id: info.uuid, name: info.name, provider });
    tell();
  };
  window.addEventListener('eip6963:announceProvider', onAnnounce);
  window.dispatchEvent(new Event('eip6963:requestProvider'));
  tell();
  return () => window.removeEventListener('eip6963:announceProvider', onAnnounce);
}

/** The account that the wallet shows us, if one of them is this. */
export async function accountOf({ provider }: WalletChoice, wanted: string): Promise<string | undefined> {
  const accounts = await provider.request({ method: 'eth_requestAccounts' });
  const list = Array.isArray(accounts) ? accounts.filter((account) => typeof account === 'string') : [];
  return list.find((account) => account.toLowerCase() === wanted.toLowerCase());
}

export async function signMessage({ provider }: WalletChoice, message: string, account: string): Promise<string> {
  const hex = `0x${[...new TextEncoder().encode(message)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  const signature = await provider.request({ method: 'personal_sign', params: [hex, account] });
  if (typeof signature !== 'string') throw new Error('The wallet gave no signature.');
  return signature;
}
