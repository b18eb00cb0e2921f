import { words } from '../../i18n.js';

export const verifyText = words({ title: 'Verify' }, { title: '验证' });
