import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const GUIDES = [
  ['Files larger than memory', 'guides/large-files'],
  ['Processes and workers', 'guides/processes'],
  ['Large zero-filled buffers', 'guides/buffers'],
  ['From another package', 'guides/arriving'],
];

const SECTIONS = [
  [
    'Start',
    [
      ['First page', 'index'],
      ['Overview', 'overview'],
      ['Choosing', 'choosing'],
      ['Questions', 'faq'],
    ],
  ],
  ['Guides', GUIDES],
  [
    'In depth',
    [
      ['Safety', 'safety'],
      ['Performance', 'performance'],
      ['Between processes', 'ipc'],
      ['Observability', 'observability'],
      ['Environments', 'environments'],
      ['With other packages', 'clients'],
      ['Migration, call by call', 'migration'],
      ['Examples', 'examples/index'],
    ],
  ],
  [
    'Reference',
    [
      ['API, in short', 'api'],
      ['API reference', 'reference/index'],
      ['Errors', 'errors'],
      ['Command line', 'cli'],
    ],
  ],
  [
    'Contributors',
    [
      ['Internals', 'internals'],
      ['Contributing', 'contributing'],
      ['Benchmarks', 'benchmarks'],
      ['Changes', 'changelog'],
      ['Reporting a vulnerability', 'security'],
      ['Notices', 'notices'],
    ],
  ],
];

const KINDS = {
  functions: 'Functions',
  classes: 'Classes',
  interfaces: 'Options and results',
  'type-aliases': 'Types',
};

/** Of these there are many. */
const FOLDED = ['interfaces', 'type-aliases'];

const linkTo = (page) => `/${page.replace(/(^|\/)index$/, '$1')}`;
const asItem = ([text, page]) => ({ text, link: linkTo(page) });

/** Pages that are generated, such as performance.md, may not be there. */
const present = (site, entries) => entries.filter(([, page]) => existsSync(join(site, 'pages', `${page}.md`)));

const kindsOf = (site, module) =>
  Object.entries(KINDS).flatMap(([folder, text]) => {
    const path = join('reference', module, folder);
    if (!existsSync(join(site, 'pages', path))) return [];
    const names = readdirSync(join(site, 'pages', path)).map((file) => file.replace(/\.md$/, ''));
    return [
      {
        text,
        collapsed: FOLDED.includes(folder),
        items: names.toSorted().map((name) => asItem([name, `${path}/${name}`])),
      },
    ];
  });

const reference = (site) =>
  ['mmap-native', 'mmap-native/ipc'].map((module) => ({
    text: module,
    link: linkTo(`reference/${module}/index`),
    items: kindsOf(site, module),
  }));

const sections = (site) =>
  SECTIONS.map(([text, entries]) => ({ text, collapsed: false, items: present(site, entries).map(asItem) }));

export const sidebar = (site) => ({
  '/': sections(site),
  '/reference/': [
    {
      text: 'Reference',
      items: [
        ['All pages', 'overview'],
        ['API, in short', 'api'],
        ['Errors', 'errors'],
      ].map(asItem),
    },
    ...reference(site),
  ],
});

export const navigation = (site, version) => [
  { text: 'Guides', items: GUIDES.map(asItem) },
  { text: 'API', link: '/api', activeMatch: '^/(api|reference)' },
  ...present(site, [
    ['Safety', 'safety'],
    ['Performance', 'performance'],
    ['Questions', 'faq'],
  ]).map(asItem),
  { text: version, link: '/changelog' },
];
