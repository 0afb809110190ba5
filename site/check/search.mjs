import { open } from './pages.mjs';

/** Types words into the search box, as a person would, and follows a hit that is `wanted`. */
export const search = async (context, origin, words, wanted, complain) => {
  const page = await context.newPage();
  await open(page, `${origin}/index.html`);
  await page.locator('.VPNavBarSearch button').first().click();
  await page.locator('.VPLocalSearchBox input').fill(words);
  try {
    await page.locator(`.VPLocalSearchBox a.result[href*="${wanted}"]`).first().click({ timeout: 30_000 });
    await page.waitForURL(`**${wanted}**`, { timeout: 30_000 });
  } catch {
    complain(`the search for "${words}" does not lead to ${wanted}, but to ${page.url()}`);
  }
  await page.close();
};

/** The switch in the bar turns light into dark, and is remembered. */
export const toggle = async (context, origin, complain) => {
  const page = await context.newPage();
  await open(page, `${origin}/index.html`);
  const isDark = () => page.evaluate(() => document.documentElement.classList.contains('dark'));
  const before = await isDark();
  await page.locator('.VPNavBarAppearance button').click();
  const after = await isDark();
  await open(page, `${origin}/faq.html`);
  if (before || !after || !(await isDark()))
    complain('the switch between light and dark does nothing, or is forgotten');
  await page.close();
};
