import { type MessageLink, messageHeaderBytes } from '../message-link.js';

/** Bank 0 tells everyone its figures: they are an output of the run. */
export async function announceFigures(links: readonly MessageLink[], figures: readonly number[]): Promise<void> {
  for (const link of links) {
    const framed = new Uint8Array(messageHeaderBytes + figures.length * 8);
    const view = new DataView(framed.buffer, messageHeaderBytes);
    figures.forEach((figure, i) => {
      view.setFloat64(8 * i, figure, true);
    });
    await link.send('metrics', framed);
  }
}

export async function receiveFigures(link: MessageLink, count: number): Promise<number[]> {
  const payload = await link.receive('metrics', count * 8);
  const view = new DataView(payload.buffer, payload.byteOffset, count * 8);
  const figures = Array.from({ length: count }, (_, i) => view.getFloat64(8 * i, true));
  if (!figures.every(Number.isFinite)) throw link.broken('its figures are not finite');
  return figures;
}
