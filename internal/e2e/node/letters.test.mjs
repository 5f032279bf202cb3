// The HTML of the mails that were sent, as a mail program shows it: on every
// screen, with nothing loaded and nothing run.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { blank, launch, look } from './browser.mjs';

const folder = process.env.QUITTANCE_LETTERS;
let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

for (const name of readdirSync(folder)) {
  test(`mail ${name}`, async () => {
    const { page, faults } = await blank(browser);
    await page.setContent(readFileSync(join(folder, name), 'utf8'));
    await look(page, 'mail-' + name.replace('.html', ''));
    assert.equal(await page.locator('script, img, link, iframe, form, object').count(), 0);
    assert.ok((await page.title()).length > 0);
    assert.deepEqual(faults, []);
  });
}
