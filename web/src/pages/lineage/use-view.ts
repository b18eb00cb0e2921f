import { type ReadonlySignal, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Layout, NODE } from './layout.js';

/** Where the layout's origin lies on the screen, and how large a unit of it is. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface ViewControl {
  /** Whoever draws by it reads it; nothing else is drawn again when it moves. */
  readonly view: ReadonlySignal<View>;
  readonly size: { readonly width: number; readonly height: number };
  readonly zoom: (factor: number) => void;
  readonly fitAll: () => void;
  /** All of it where that can be read, else the node and what lies around it. */
  readonly begin: (id: string) => void;
  /** Brings a node to the middle, at a size that can be read. */
  readonly show: (id: string) => void;
}

/** A name is read at this scale. */
export const READABLE = 0.5;
const LIMITS = { least: 0.02, most: 2 } as const;
const HEAD = 34;
const bounded = (scale: number): number => Math.min(LIMITS.most, Math.max(LIMITS.least, scale));
/** Pixels that a finger may tremble before a tap becomes a move. */
const TREMBLE = 5;

/** Moves and scales by wheel, mouse and fingers. A tap that did not move is told to `onTap`: what lies there, and where in the area. */
export function useView(
  area: RefObject<HTMLElement | null>,
  layout: Layout,
  onTap: (target: Element, x: number, y: number) => void,
): ViewControl {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const view = useSignal<View>({ x: 0, y: HEAD, scale: 1 });
  const tap = useRef(onTap);
  tap.current = onTap;

  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, [area]);

  const zoomAt = useCallback((factor: number, x: number, y: number) => {
    const before = view.peek();
    const scale = bounded(before.scale * factor);
    const ratio = scale / before.scale;
    view.value = { scale, x: x - (x - before.x) * ratio, y: y - (y - before.y) * ratio };
  }, []);
  const moveBy = useCallback((dx: number, dy: number) => {
    const before = view.peek();
    view.value = { ...before, x: before.x + dx, y: before.y + dy };
  }, []);

  useEffect(() => {
    const element = area.current;
    if (element === null) return;
    const at = ({ clientX, clientY }: { clientX: number; clientY: number }): readonly [number, number] => {
      const { left, top } = element.getBoundingClientRect();
      return [clientX - left, clientY - top];
    };
    const fingers = new Map<number, { x: number; y: number }>();
    let moved = 0;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      if (event.ctrlKey || !event.shiftKey) zoomAt(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015)), ...at(event));
      else moveBy(-event.deltaY, 0);
    };
    const onDown = (event: PointerEvent): void => {
      if (event.button !== 0) return;
      if (fingers.size === 0) moved = 0;
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      element.setPointerCapture(event.pointerId);
    };
    const onMove = (event: PointerEvent): void => {
      const before = fingers.get(event.pointerId);
      if (before === undefined) return;
      const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      moved += Math.abs(dx) + Math.abs(dy);
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (moved < TREMBLE) return;
      if (other === undefined) return moveBy(dx, dy);
      const distance = (x: number, y: number): number => Math.max(1, Math.hypot(x - other.x, y - other.y));
      zoomAt(distance(event.clientX, event.clientY) / distance(before.x, before.y), ...at({ clientX: other.x, clientY: other.y }));
    };
    const onUp = (event: PointerEvent): void => {
      const wasOne = fingers.size === 1 && fingers.has(event.pointerId);
      fingers.delete(event.pointerId);
      if (!wasOne || moved >= TREMBLE || event.type === 'pointercancel') return;
      const target = document.elementFromPoint(event.clientX, event.clientY);
      if (target !== null) tap.current(target, ...at(event));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    element.addEventListener('pointerdown', onDown);
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerup', onUp);
    element.addEventListener('pointercancel', onUp);
    return () => {
      element.removeEventListener('wheel', onWheel);
      element.removeEventListener('pointerdown', onDown);
      element.removeEventListener('pointermove', onMove);
      element.removeEventListener('pointerup', onUp);
      element.removeEventListener('pointercancel', onUp);
    };
  }, [area, zoomAt, moveBy]);

  const fitAll = useCallback(() => {
    if (size.width === 0) return;
    const scale = bounded(Math.min(1, (size.width - 40) / layout.width, (size.height - HEAD - 20) / layout.height));
    const y = HEAD + Math.max(0, (size.height - HEAD - layout.height * scale) / 2);
    view.value = { scale, x: Math.max(12, (size.width - layout.width * scale) / 2), y };
  }, [layout, size]);

  const show = useCallback(
    (id: string) => {
      const place = layout.places.get(id);
      if (place === undefined || size.width === 0) return;
      const before = view.peek().scale;
      const scale = before < READABLE + 0.1 ? 0.9 : before;
      const [x, y] = [place.x + NODE.width / 2, place.y + NODE.height / 2];
      view.value = { scale, x: size.width / 2 - x * scale, y: (size.height + HEAD) / 2 - y * scale };
    },
    [layout, size],
  );
  const begin = useCallback(
    (id: string) => {
      const isReadable = (size.width - 40) / layout.width >= READABLE && (size.height - HEAD) / layout.height >= READABLE;
      if (isReadable) fitAll();
      else show(id);
    },
    [fitAll, show, layout, size],
  );
  const zoom = useCallback((factor: number) => zoomAt(factor, size.width / 2, size.height / 2), [zoomAt, size]);
  return { view, size, zoom, fitAll, begin, show };
}
