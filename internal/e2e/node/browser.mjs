// A person at a browser: Chromium, and how a page has to be on every screen.
// QUITTANCE_SHOTS is a folder for a picture of each page that was looked at.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { base } from './shop.mjs';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

export const launch = () => chromium.launch({
  executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
});

const screens = {
  'desktop-light': [{ width: 1280, height: 900 }, 'light'], 'desktop-dark': [{ width: 1280, height: 900 }, 'dark'],
  'phone-light': [{ width: 360, height: 740 }, 'light'], 'phone-dark': [{ width: 360, height: 740 }, 'dark'],
};

// blank is a page of its own that notes every fault: errors on the console, which
// is also where a breach of the content policy is told, exceptions, and anything
// that is asked of another server.
export async function blank(browser, { js = true } = {}) {
  const page = await (await browser.newContext({ javaScriptEnabled: js })).newPage();
  const faults = [];
  page.on('console', (m) => {
    // A form that is refused is answered 400, a wrong link 404: as it should be.
    if (m.type() === 'error' && !/status of (400|404)/.test(m.text())) faults.push(m.text());
  });
  page.on('pageerror', (e) => faults.push(String(e)));
  page.on('request', (r) => !r.url().startsWith(base) && !r.url().startsWith('data:') && faults.push('asked ' + r.url()));
  return { page, faults };
}

// visit opens one of the server's pages.
export async function visit(browser, path, how) {
  const opened = await blank(browser, how);
  await opened.page.goto(base + path);
  return opened;
}

export const part = (page, name) => page.locator(`[data-testid="${name}"]`);

// look holds the page, in the state it is in, against every screen.
export async function look(page, name) {
  for (const [screen, [size, colorScheme]] of Object.entries(screens)) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    assert.deepEqual(await page.evaluate(blemishes), [], `${name} on ${screen}`);
    if (process.env.QUITTANCE_SHOTS) await page.screenshot({ path: join(process.env.QUITTANCE_SHOTS, `${name}-${screen}.png`), fullPage: true });
  }
}

// blemishes runs in the page. It tells what is wider than the screen or its card,
// what cannot be read on its ground (WCAG AA), words that are cut in two, what is too
// small for a finger, and fields without a name.
function blemishes() {
  const found = [];
  const what = (e) => `<${e.tagName.toLowerCase()} ${e.dataset.testid ?? e.className ?? ''}> ${e.textContent.trim().slice(0, 40)}`;
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) found.push('the page is wider than the screen');
  const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
  const colour = (text) => {
    const n = text.match(/[\d.]+/g).map(Number);
    const scale = text.startsWith('color(') ? 255 : 1;
    return { rgb: n.slice(0, 3).map((x) => x * scale), a: n[3] ?? 1 };
  };
  const ground = (e) => {
    const layers = [];
    for (let n = e; n; n = n.parentElement) {
      const c = colour(getComputedStyle(n).backgroundColor);
      if (c.a > 0) layers.push(c);
      if (c.a === 1) break;
    }
    return layers.reverse().reduce((below, c) => below.map((x, i) => x * (1 - c.a) + c.rgb[i] * c.a), [255, 255, 255]);
  };
  const luminance = (rgb) => rgb.map((x) => x / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const cut = (e) => [...e.childNodes].filter((n) => n.nodeType === 3).some((n) => [...n.data.matchAll(/\p{L}{2,}/gu)].some((word) => {
    const range = document.createRange();
    range.setStart(n, word.index);
    range.setEnd(n, word.index + word[0].length);
    return range.getClientRects().length > 1;
  }));
  const card = (document.querySelector('main') ?? document.body).getBoundingClientRect();
  for (const e of document.querySelectorAll('body *')) {
    if (!seen(e)) continue;
    const box = e.getBoundingClientRect();
    if (e.closest('main') && (box.left < card.left - 1 || box.right > card.right + 1)) found.push('wider than its card: ' + what(e));
    if ([...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) {
      const style = getComputedStyle(e);
      const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
      const ratio = contrast(colour(style.color).rgb, ground(e));
      if (ratio < (large ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)}: ${what(e)}`);
    }
    if (e.matches('h1, h2, li, dt, label, .button') && cut(e)) found.push('a word is cut in two: ' + what(e));
    if (e.matches('.button, input:not([type=hidden]), select, textarea') && box.height < 40) found.push('too small for a finger: ' + what(e));
    if (e.matches('input:not([type=hidden]), select, textarea') && e.labels.length === 0) found.push('a field without a name: ' + what(e));
  }
  return found;
}

// tabTo moves the focus by the keyboard alone, once the page has what it goes to.
export async function tabTo(page, name) {
  await part(page, name).first().waitFor();
  for (let n = 0; n < 40; n++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement?.dataset?.testid) === name) return;
  }
  assert.fail(`Tab does not reach ${name}`);
}

// typeInto replaces what a field holds, by the keyboard alone.
export async function typeInto(page, name, text) {
  await tabTo(page, name);
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText(text);
}

export async function press(page, name, key = 'Enter') {
  await tabTo(page, name);
  await page.keyboard.press(key);
}
