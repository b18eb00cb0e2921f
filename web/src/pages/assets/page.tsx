import { useApp } from '../../app.js';
import { AssetList } from './asset-list.js';
import { AssetPage } from './asset-page.js';
import { DraftPage } from './draft-page.js';

export function AssetsPage() {
  const [, which] = useApp().router.route.value.parts;
  if (which === undefined) return <AssetList />;
  return which === 'new' ? <DraftPage /> : <AssetPage key={which} token={which} />;
}
