import { useApp } from '../app.js';
import { ShortId } from './basics.js';

/** An id by its name where it has one, always with the id at hand. */
export function Name({ id, link }: { id: string; link?: string }) {
  const name = useName(id);
  if (name === undefined) return <ShortId id={id} {...(link !== undefined && { link })} />;
  return (
    <span class="named" title={id}>
      {link === undefined ? <span>{name}</span> : <a href={link}>{name}</a>} <ShortId id={id} />
    </span>
  );
}

export const useName = (id: string): string | undefined => useApp().names.of(id).value;

/** The name alone, or the ends of the id: for rows. */
export function NameOrId({ id }: { id: string }) {
  const name = useName(id);
  const word = id.replace(/^dt:ownership:/, '').replace(/^0x/, '');
  return name === undefined ? <code title={id}>{`${word.slice(0, 6)}…${word.slice(-4)}`}</code> : <span title={id}>{name}</span>;
}
