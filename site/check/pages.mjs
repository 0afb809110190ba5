/** What a page is like, as the browser has it; runs in the browser. */
const look = () => {
  const links = [...document.querySelectorAll('a[href]')].map((link) => link.href);
  const anchors = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  const blocks = [...document.querySelectorAll(".vp-doc div[class*='language-'] pre code")].map((code) => ({
    language: code.closest("div[class*='language-']").className.match(/language-(\w*)/)[1],
    code: code.textContent,
  }));
  const broken = [...document.querySelectorAll('img')].filter(
    ({ complete, naturalWidth }) => !complete || naturalWidth === 0,
  );
  return {
    links,
    anchors,
    blocks,
    brokenImages: broken.map(({ src }) => src),
    heading: document.querySelector('h1')?.textContent ?? '',
    background: getComputedStyle(document.body).backgroundColor,
    wider: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  };
};

/** Whether its scripts have taken the page over. */
const isAlive = () => '__vue_app__' in document.querySelector('#app');

/** Goes to a page, and waits until it answers to clicks. */
export const open = async (page, url) => {
  await page.goto(url, { waitUntil: 'load' });
  await page.waitForFunction(isAlive);
};

/** Complaints of a page: what it logs as an error, throws, or cannot load. */
const listen = (page, complain) => {
  page.on('console', (message) => message.type() === 'error' && complain(`console: ${message.text()}`));
  page.on('pageerror', (error) => complain(`throws ${error.message}`));
  page.on('requestfailed', (request) => complain(`cannot load ${request.url()}`));
  page.on('response', (response) => response.status() >= 400 && complain(`${response.status()} for ${response.url()}`));
};

const AT_ONCE = 3;

/** Opens each page in one browser context; what each is like, by path. */
export const visit = async (context, origin, paths, complain, shots) => {
  const found = new Map();
  const waiting = [...paths];
  const lane = async () => {
    const page = await context.newPage();
    let path;
    listen(page, (what) => complain(`${path}: ${what}`));
    for (path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      await open(page, `${origin}/${path}`);
      const seen = await page.evaluate(look);
      if (seen.heading === '') complain(`${path}: has no heading`);
      for (const image of seen.brokenImages) complain(`${path}: the picture ${image} does not show`);
      if (seen.wider > 0) complain(`${path}: ${seen.wider} pixels wider than the screen`);
      found.set(path, seen);
      if (shots?.pages.includes(path))
        await page.screenshot({
          path: `${shots.folder}/${path.replaceAll('/', '-')}-${shots.name}.png`,
          fullPage: true,
        });
    }
    await page.close();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return found;
};
