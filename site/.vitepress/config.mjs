import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { anchorOf } from '../../scripts/docs/links.mjs';
import { navigation, sidebar } from './navigation.mjs';

const site = fileURLToPath(new URL('..', import.meta.url));
const { version, description } = JSON.parse(readFileSync(`${site}/../package.json`, 'utf8'));

/** Two pages, one over the other: a mapping. */
const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect x="3" y="3" width="18" height="18" rx="4" fill="#0f766e"/>' +
  '<rect x="11" y="11" width="18" height="18" rx="4" fill="#f59e0b" fill-opacity=".9"/></svg>';

export default defineConfig({
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: 'pages/.cache',
  lang: 'en',
  title: 'mmap-native',
  description,
  router: { prefetchLinks: false },
  head: [
    ['link', { rel: 'icon', type: 'image/svg+xml', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }],
    ['meta', { name: 'color-scheme', content: 'light dark' }],
  ],
  // the anchors of GitHub, which scripts/docs.mjs checks
  markdown: {
    languageAlias: { cjs: 'js', mjs: 'js' },
    anchor: { slugify: anchorOf },
    theme: { light: 'github-light', dark: 'github-dark' },
  },
  themeConfig: {
    nav: navigation(site, version),
    sidebar: sidebar(site),
    outline: { level: [2, 3], label: 'On this page' },
    search: { provider: 'local', options: { detailedView: true } },
    docFooter: { prev: 'Before', next: 'Next' },
    footer: { message: 'MIT. Linux only. Every code block of these pages is run by CI.' },
  },
  transformPageData(page) {
    // the first page is a page like any other to who reads the file
    if (page.relativePath === 'index.md')
      Object.assign(page.frontmatter, { sidebar: false, aside: false, pageClass: 'front' });
  },
});
