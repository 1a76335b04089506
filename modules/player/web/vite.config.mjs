import path from 'node:path';
import { defineConfig } from 'vite';

/** The page of the Player. `npm run build -w modules/player`; the server builds it itself where it is missing. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: path.join(import.meta.dirname, 'dist'),
    emptyOutDir: true,
    target: 'es2022',
    // Those that know light-dark(), all since spring 2024: the colours are told once.
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    // Files only: a page with a content security policy takes no data: scripts, and the icon may be cached.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Of the house's libraries the page uses a function here and there; what it does not name stays out.
    rolldownOptions: { treeshake: { moduleSideEffects: (id) => !/[\\/]libs[\\/]/.test(id) } },
  },
});
