// A buyer in Chromium: pays an invoice by the sandbox's button and watches the
// page change, without ever loading it again.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const base = process.env.QUITTANCE_URL;
const token = process.env.QUITTANCE_POS_TOKEN;
let browser;

before(async () => {
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'] });
});
after(() => browser?.close());

async function order(more = {}) {
  const answer = await fetch(base + '/invoices', {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, price: 10, currency: 'USD', itemDesc: 'A cup of coffee', redirectURL: 'https://shop.example/thanks', ...more }),
  });
  const { data, error } = await answer.json();
  assert.equal(error, undefined);
  return data;
}

// open loads an invoice's page and fails on anything that is not of this server.
async function open(invoice, { query = '', ...context } = {}) {
  const page = await (await browser.newContext(context)).newPage();
  const faults = [];
  page.on('console', (m) => m.type() === 'error' && faults.push(m.text()));
  page.on('pageerror', (e) => faults.push(String(e)));
  page.on('request', (r) => !r.url().startsWith(base) && !r.url().startsWith('data:') && faults.push('asked ' + r.url()));
  await page.goto(`${base}/invoice?id=${invoice.id}${query}`);
  return { page, faults };
}
const part = (page, name) => page.locator(`[data-testid="${name}"]`);
const state = (page, want) => page.waitForSelector(`[data-testid="state"][data-state="${want}"]`, { timeout: 10000 });

for (const [device, context] of Object.entries({
  'a desktop': { viewport: { width: 1280, height: 900 } },
  'a phone in the dark': { viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
})) {
  test(`on ${device}: pay by the button, mine, and watch it confirm`, async () => {
    const invoice = await order();
    const { page, faults } = await open(invoice, context);
    let loads = 0;
    page.on('load', () => loads++);
    await state(page, 'open');
    assert.match(await part(page, 'address').innerText(), /^bcrt1q[0-9a-z\s]+$/);
    assert.match(await part(page, 'qr').getAttribute('data-qr'), /^bitcoin:/i);
    assert.ok(await part(page, 'timer').isVisible());
    assert.ok(await part(page, 'copy-address').isVisible());
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, 'the page is wider than the screen');
    await part(page, 'pay-button').click();
    await state(page, 'paid');
    await part(page, 'mine-button').click();
    await state(page, 'confirmed');
    for (let i = 0; i < 5; i++) {
      const have = await part(page, 'confirmations').getAttribute('data-have').catch(() => null);
      await part(page, 'mine-button').click();
      await page.waitForFunction((before) => {
        const now = document.querySelector('[data-testid="confirmations"]');
        return !now || now.dataset.have !== before;
      }, have);
    }
    await state(page, 'complete');
    assert.equal(loads, 0, 'the page was loaded again');
    assert.deepEqual(faults, []);
  });
}

test('half is paid: the page says how much is missing and asks for the rest', async () => {
  const { page } = await open(await order());
  await state(page, 'open');
  const asked = await part(page, 'amount').getAttribute('data-amount');
  await part(page, 'pay-partial').click();
  await state(page, 'partial');
  assert.notEqual(await part(page, 'amount').getAttribute('data-amount'), asked);
  await part(page, 'pay-button').click();
  await state(page, 'paid');
});

test('without JavaScript the address and the QR code are there', async () => {
  const { page } = await open(await order(), { javaScriptEnabled: false });
  assert.match(await part(page, 'address').innerText(), /^bcrt1q/);
  assert.ok(await part(page, 'qr').locator('svg').isVisible());
});

test('the page speaks the buyer\'s language', async () => {
  const { page } = await open(await order(), { locale: 'de-DE' });
  assert.equal(await page.locator('html').getAttribute('lang'), 'de');
  const { page: french } = await open(await order(), { query: '&lang=fr' });
  assert.equal(await french.locator('html').getAttribute('lang'), 'fr');
});

test('a shop shows the invoice in a modal and hears of each state', async () => {
  const invoice = await order();
  const shop = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><title>Shop</title><script src="${base}/bitpay.min.js"></script><script>
      window.heard = []; window.addEventListener('message', (e) => heard.push(typeof e.data === 'string' ? e.data : e.data.status));
      window.left = false; bitpay.onModalWillLeave(() => { window.left = true; }); bitpay.showInvoice(${JSON.stringify(invoice.id)});
    </script>`);
  });
  await new Promise((ready) => shop.listen(0, '127.0.0.1', ready));
  try {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${shop.address().port}/`);
    const frame = page.frameLocator('iframe');
    await frame.locator('[data-testid="pay-button"]').click();
    await page.waitForFunction(() => window.heard.includes('paid'));
    await frame.locator('[data-testid="mine-button"]').click();
    await page.waitForFunction(() => window.heard.includes('confirmed'));
  } finally {
    shop.close();
  }
});

test('keyboard alone reaches the wallet link, the copy buttons and the pay button', async () => {
  const { page } = await open(await order());
  await state(page, 'open');
  const reached = new Set();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement?.dataset?.testid ?? ''));
  }
  for (const name of ['copy-address', 'pay-button']) assert.ok(reached.has(name), `${name} was not reached by Tab: ${[...reached]}`);
});

test('the page that approves a client: wrong key refused, right key pairs', async () => {
  const code = process.env.QUITTANCE_PAIRING_CODE;
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${base}/api-access-request?pairingCode=${code}`);
  assert.match(await page.locator('main').innerText(), new RegExp(process.env.QUITTANCE_PAIRING_SIN));
  const key = page.locator('input[type="password"], input[name="key"]').first();
  await key.fill('qk_' + '1'.repeat(28));
  await page.keyboard.press('Enter');
  await page.getByText(/access key is not known/i).waitFor();
  await page.locator('input[type="password"], input[name="key"]').first().fill(process.env.QUITTANCE_ACCESS_KEY);
  await page.keyboard.press('Enter');
  await page.getByText(/approved|paired|can now/i).first().waitFor();
});

test('a recipient gives an address, on every screen and without JavaScript', async () => {
  const url = `${base}/recipient?link=${process.env.QUITTANCE_RECIPIENT_LINK}`;
  const pages = [];
  for (const colorScheme of ['light', 'dark']) {
    for (const [width, height] of [[360, 740], [1280, 900]]) {
      pages.push(await (await browser.newContext({ colorScheme, viewport: { width, height }, javaScriptEnabled: width > 360 })).newPage());
    }
  }
  const everywhere = async (step, part) => {
    for (const page of pages) {
      await page.goto(url);
      await page.locator(`main[data-step="${step}"]`).waitFor();
      assert.ok(await page.locator(`[data-testid="${part}"]`).isVisible());
      const main = await page.locator('main').boundingBox();
      for (const inner of await page.locator('main *:visible').all()) {
        const box = await inner.boundingBox();
        assert.ok(!box || (box.x >= main.x && box.x + box.width <= main.x + main.width + 1), `${step}: something is wider than its card at ${page.viewportSize().width}`);
      }
    }
  };
  const [phone] = pages;
  await everywhere('confirm', 'confirm');
  await phone.locator('[data-testid="confirm"]').press('Enter');
  await phone.locator('main[data-step="give"]').waitFor();
  await everywhere('give', 'address');
  await phone.locator('[data-testid="address"]').fill('bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l');
  await phone.keyboard.press('Enter');
  await phone.getByText(/belongs to network main/).waitFor();
  await phone.locator('[data-testid="address"]').fill(process.env.QUITTANCE_RECIPIENT_ADDRESS);
  await phone.keyboard.press('Enter');
  await phone.locator('main[data-step="prove"]').waitFor();
  assert.equal(await phone.locator('[data-testid="shown"]').innerText(), process.env.QUITTANCE_RECIPIENT_ADDRESS);
  await everywhere('prove', 'signature');
  await phone.locator('[data-testid="signature"]').fill('not a signature');
  await phone.locator('[data-testid="sign"]').click();
  await phone.getByText(/not a signature that can be read/).waitFor();
});
