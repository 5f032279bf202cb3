// The pages on which people give and get money, in Chromium: a buyer who is
// refunded, a recipient who is to be paid, the payer of a bill, and a merchant who
// moves the settlements. Each state is looked at on every screen; forms are filled
// in by the keyboard alone, with and without JavaScript.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { address, mailed, sign } from './person.mjs';
import { launch, look, part, press, typeInto, visit } from './browser.mjs';
import { mine, newShop, operator, order, pair, sold, until } from './shop.mjs';

const elsewhere = 'bc1q9vza2e8x573nczrlzms0wvx3gsqjx7vavgkx0l'; // of the main network
const shop = newShop();
const merchant = shop.client;
let browser;

before(async () => {
  await pair(shop, 'merchant', 'payout');
  operator('merchant', 'set', '--notification-email', 'boss@example.com');
  browser = await launch();
});
after(() => browser?.close());

const becomes = (id, status) => until(`refund ${status}`, async () => (await merchant.getRefund(id)).status === status);
const claimLink = async (id, to) => `refund?id=${id}&code=${await mailed(to, new RegExp(`/refund\\?id=${id}&code=([0-9A-Za-z]+)`))}`;
const recipientLink = async (to) => `recipient?link=${await mailed(to, /\/recipient\?link=([1-9A-HJ-NP-Za-km-z]{44})/)}`;
const step = (page, name) => page.waitForSelector(`main[data-step="${name}"]`);

test('a refund is claimed by the mailed link: refused, mended, shown back, confirmed, followed to its end', async () => {
  const invoice = await sold(shop, { buyer: { email: 'mailed@example.com' } });
  const { id } = await merchant.createRefund({ invoice: invoice.id, amount: 6, currency: 'USD', buyerPaysRefundFee: true });
  const link = await claimLink(id, 'mailed@example.com');
  const { page, faults } = await visit(browser, link, { js: false });
  await look(page, 'refund-1-form');
  await typeInto(page, 'address-field', elsewhere);
  await page.keyboard.press('Enter');
  await page.getByText('This address belongs to network main').waitFor();
  assert.equal(await part(page, 'address-field').inputValue(), elsewhere, 'what was typed can be mended');
  await look(page, 'refund-2-wrong-network');
  await typeInto(page, 'address-field', address);
  await page.keyboard.press('Enter');
  await page.getByText('Is this your address?').waitFor();
  assert.equal(await part(page, 'address').textContent(), address);
  await look(page, 'refund-3-shown-back');
  await press(page, 'again');
  await part(page, 'address-field').waitFor();
  await typeInto(page, 'address-field', address);
  await press(page, 'next');
  await press(page, 'confirm');
  await page.getByText('It will be sent to this address').waitFor();
  assert.ok((await page.content()).includes('http-equiv="refresh"'));
  await look(page, 'refund-4-confirmed');
  await becomes(id, 'pending');
  await page.locator('main[data-status="pending"]').waitFor(); // the page reads itself again
  await look(page, 'refund-5-on-its-way');
  await mine(6);
  await becomes(id, 'success');
  await page.locator('main[data-status="success"]').waitFor();
  await look(page, 'refund-6-arrived');
  assert.deepEqual(faults, []);
  // Whoever opens the used link again sees where the money went, and no form.
  const again = await visit(browser, link);
  assert.equal(await part(again.page, 'address').textContent(), address);
  assert.equal(await again.page.locator('form').count(), 0);
});

test('a link that leads to no refund says what to do', async () => {
  const invoice = await sold(shop, { buyer: { email: 'links@example.com' } });
  const { id } = await merchant.createRefund({ invoice: invoice.id, amount: 5 });
  const link = await claimLink(id, 'links@example.com');
  const { page, faults } = await visit(browser, link.slice(0, -3));
  await page.getByText('This link cannot be used').waitFor();
  await page.getByText('Open the link in the latest mail').waitFor();
  await look(page, 'refund-7-foreign-link');
  await merchant.cancelRefund(id);
  await page.goto(page.url().replace(/refund\?.*/, link));
  await page.getByText('Please ask the shop').waitFor();
  await look(page, 'refund-8-withdrawn');
  assert.deepEqual(faults, []);
});

test('the checkout page of a paid invoice tells of its refund and follows it', async () => {
  const invoice = await sold(shop, { buyer: { email: 'checkout@example.com' } });
  const { page, faults } = await visit(browser, `invoice?id=${invoice.id}`);
  assert.equal(await part(page, 'refund').count(), 0);
  const { id } = await merchant.createRefund({ invoice: invoice.id, amount: 7 });
  const news = (status, words) => page.locator(`[data-testid="refund"][data-status="${status}"]`, { hasText: words }).waitFor();
  await news('created', 'is waiting for you');
  const says = await part(page, 'refund').textContent();
  assert.match(says, /c•••@example\.com/);
  await look(page, 'checkout-1-refund-waits');
  for (const lang of ['de', 'es', 'fr', 'pt', 'nl']) {
    const translated = await visit(browser, `invoice?id=${invoice.id}&lang=${lang}`, { js: false });
    await look(translated.page, `checkout-1-refund-waits-${lang}`);
  }
  const link = await claimLink(id, 'checkout@example.com');
  assert.ok(!(await page.content()).includes(link.split('code=')[1]), 'the claim is not open to whoever has the invoice');
  // On this page the address is asked for too, of whoever has the code in the mail.
  const claim = await visit(browser, `invoice?id=${invoice.id}`, { js: false });
  await typeInto(claim.page, 'code-field', 'of somebody else');
  await typeInto(claim.page, 'address-field', address);
  await press(claim.page, 'next');
  await claim.page.getByText('This link cannot be used').waitFor();
  await claim.page.goBack();
  await typeInto(claim.page, 'code-field', link.split('code=')[1]);
  await typeInto(claim.page, 'address-field', address);
  await press(claim.page, 'next');
  await claim.page.getByText('Is this your address?').waitFor();
  assert.equal(await part(claim.page, 'address').textContent(), address);
  await press(claim.page, 'confirm');
  await news('pending', 'is on its way');
  await look(page, 'checkout-2-refund-sent');
  await mine(6);
  await news('success', 'has arrived');
  await look(page, 'checkout-3-refund-arrived');
  assert.deepEqual([...faults, ...claim.faults], []);
});

// invited is a recipient's browser on the mailed link, with the e-mail confirmed.
async function invited(email, how, pictures) {
  await merchant.submitPayoutRecipients({ recipients: [{ email, label: 'Freelancer 7' }] });
  const link = await recipientLink(email);
  const { page, faults } = await visit(browser, link, how);
  if (pictures) await look(page, 'recipient-1-invited');
  await press(page, 'confirm');
  await step(page, 'give');
  return { page, faults, link };
}

test('a recipient proves an address by a signed message, without JavaScript', async () => {
  const { page, faults, link } = await invited('signer@example.com', { js: false }, true);
  await look(page, 'recipient-2-give');
  await typeInto(page, 'address', elsewhere);
  await page.keyboard.press('Enter');
  await page.getByText('This address belongs to network main').waitFor();
  assert.equal(await part(page, 'address').inputValue(), elsewhere);
  await look(page, 'recipient-3-wrong-network');
  await typeInto(page, 'address', address);
  await press(page, 'give');
  await step(page, 'prove');
  assert.equal(await part(page, 'shown').textContent(), address);
  await look(page, 'recipient-4-prove');
  await typeInto(page, 'signature', sign('something else'));
  await press(page, 'sign');
  await page.getByText('not of this address and this text').waitFor();
  await look(page, 'recipient-5-wrong-signature');
  await typeInto(page, 'signature', sign(await part(page, 'text').textContent()));
  await press(page, 'sign');
  await step(page, 'done');
  assert.equal(await part(page, 'proven').textContent(), address);
  await look(page, 'recipient-6-done');
  await page.goto(page.url().replace(/recipient.*/, link));
  await page.getByText('This link was already used').waitFor();
  await look(page, 'recipient-7-used-link');
  assert.deepEqual(faults, []);
});

test('a recipient proves an address by a test amount', async () => {
  await sold(shop); // the ledger pays for it
  const { page, faults } = await invited('reader@example.com');
  await typeInto(page, 'address', address);
  await press(page, 'give');
  await step(page, 'prove');
  const before = operator('transfer', 'list').length;
  await press(page, 'test');
  await step(page, 'read');
  await look(page, 'recipient-8-read');
  await typeInto(page, 'amount', '0.00000001');
  await press(page, 'read');
  await part(page, 'problem').waitFor();
  await look(page, 'recipient-9-wrong-amount');
  // What the wallet shows: the one payment that left since.
  const sent = await until('the test amount', () => operator('transfer', 'list').length > before && operator('transfer', 'list')[0]);
  assert.equal(sent.payments, 1);
  await typeInto(page, 'amount', `0.${sent.total.padStart(8, '0')}`);
  await press(page, 'read');
  await step(page, 'done');
  assert.equal(await part(page, 'proven').textContent(), address);
  assert.deepEqual(faults, []);
});

test('a recipient whose details are checked first waits and is told for what', async () => {
  operator('merchant', 'set', '--recipient-check=true');
  await merchant.submitPayoutRecipients({ recipients: [{ email: 'checked@example.com' }] });
  const { page, faults } = await visit(browser, await recipientLink('checked@example.com'), { js: false });
  await press(page, 'confirm');
  await step(page, 'wait');
  await look(page, 'recipient-10-wait');
  operator('merchant', 'set', '--recipient-check=false');
  assert.deepEqual(faults, []);
});

const bill = (more = {}) => merchant.createBill({
  number: 'bill-1234', currency: 'USD', name: 'John Doe', email: 'payer@example.com', dueDate: '2031-5-31',
  items: [{ description: 'A wooden chair, painted blue', price: 6, quantity: 1 }, { description: 'Cushion', price: 4, quantity: 2 }], ...more,
});
const billState = (page, want) => page.waitForSelector(`[data-testid="bill"][data-state="${want}"]`);
const checkoutState = (page, want) => page.waitForSelector(`[data-testid="state"][data-state="${want}"]`);

test('a bill opens an invoice, is paid, confirmed and closed; then it asks for nothing', async () => {
  const made = await bill();
  const { page, faults } = await visit(browser, `bill?id=${made.id}&resource=bills`);
  await billState(page, 'draft');
  assert.equal(await part(page, 'total').textContent(), '14.00 USD');
  await look(page, 'bill-1-asks');
  await press(page, 'pay');
  await checkoutState(page, 'open');
  assert.ok(await part(page, 'qr').isVisible());
  await look(page, 'bill-2-invoice');
  const invoice = page.url();
  const back = `bill?id=${made.id}&resource=bills`;
  const other = await visit(browser, back, { js: false });
  await billState(other.page, 'new');
  await other.page.getByText('Continue the payment').waitFor();
  await look(other.page, 'bill-3-continue');
  await press(other.page, 'pay');
  await checkoutState(other.page, 'open');
  assert.equal(new URL(other.page.url()).searchParams.get('id'), new URL(invoice).searchParams.get('id'), 'the same invoice, not a second one');
  await press(page, 'pay-button');
  await checkoutState(page, 'paid');
  await press(page, 'back-link');
  await billState(page, 'paid');
  assert.equal(await part(page, 'pay').count(), 0);
  await look(page, 'bill-4-paid');
  await mine(6);
  await page.reload();
  await billState(page, 'complete');
  assert.equal(await page.locator('form').count(), 0, 'a paid bill asks for nothing');
  await look(page, 'bill-5-complete');
  for (const lang of ['de', 'es', 'fr', 'pt', 'nl']) {
    const translated = await visit(browser, `bill?id=${made.id}&lang=${lang}`);
    await look(translated.page, `bill-5-complete-${lang}`);
  }
  await press(page, 'invoice');
  await checkoutState(page, 'complete');
  assert.deepEqual([...faults, ...other.faults], []);
});

test('a bill whose invoice ended unpaid can be paid by a new one, without JavaScript', async () => {
  const made = await bill({ number: 'bill-again' });
  const { page, faults } = await visit(browser, `bill?id=${made.id}&resource=bills`, { js: false });
  await press(page, 'pay');
  await checkoutState(page, 'open');
  const first = new URL(page.url()).searchParams.get('id');
  assert.equal(await merchant.cancelInvoice(first).then((i) => i.status), 'expired');
  await page.goto(page.url().replace(/invoice.*/, `bill?id=${made.id}`));
  await part(page, 'again').waitFor();
  await look(page, 'bill-6-again');
  await press(page, 'pay');
  await checkoutState(page, 'open');
  assert.notEqual(new URL(page.url()).searchParams.get('id'), first);
  await page.goto(page.url().replace(/invoice.*/, 'bill?id=nobody'));
  await page.getByText('There is no such bill').waitFor();
  await look(page, 'bill-7-unknown');
  assert.deepEqual(faults, []);
});

test('an address for settlements is compared and confirmed, by the latest link alone', async () => {
  operator('settlement', 'address', address);
  const link = await mailed('boss@example.com', /\/(settlement-address\?merchant=[1-9A-Za-z]+&code=[0-9A-Za-z]+)/);
  const { page, faults } = await visit(browser, link, { js: false });
  assert.equal(await part(page, 'address').textContent(), address);
  await look(page, 'settlement-1-asked');
  await press(page, 'confirm');
  await part(page, 'confirmed').waitFor();
  assert.equal(await part(page, 'address').textContent(), address);
  await look(page, 'settlement-2-confirmed');
  await page.goto(page.url().replace(/settlement.*/, link.slice(0, -2)));
  await page.getByText('This link cannot be used').waitFor();
  await look(page, 'settlement-3-foreign-link');
  assert.deepEqual(faults, []);
});
