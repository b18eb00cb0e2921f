import { words } from '../../i18n.js';

export const lineageText = words({ title: 'Lineage' }, { title: '谱系' });
