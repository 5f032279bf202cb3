// The official Node SDK, unmodified, against a running server. Its client object
// takes a base URL; everything else is as a shop uses it.
//
// QUITTANCE_URL is the server, QUITTANCE_BIN the program, QUITTANCE_PLACE the
// flags that name its database.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createHmac, randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import sdk from 'bitpay-sdk';
import sdkClient from 'bitpay-sdk/client';

const base = process.env.QUITTANCE_URL + '/';
const place = JSON.parse(process.env.QUITTANCE_PLACE);
const operator = (...args) =>
  JSON.parse(execFileSync(process.env.QUITTANCE_BIN, [...args, ...place, '--json'], { encoding: 'utf8' }));

const keys = new sdk.KeyUtils();
const ecKey = keys.generate_keypair();
const sin = keys.get_sin_from_key(ecKey);
const identity = ecKey.getPublic().encodeCompressed('hex');

const tokens = new sdk.TokenContainer();
const rest = new sdkClient.BitPayClient(base, ecKey, identity);
const merchant = new sdk.Client(null, null, tokens, null, undefined, undefined, rest);
let pos;

// The shop's own server: what it is told, in order.
const told = [];
const shop = createServer((request, response) => {
  const chunks = [];
  request.on('data', (c) => chunks.push(c));
  request.on('end', () => {
    const raw = Buffer.concat(chunks);
    told.push({ raw, signature: request.headers['x-signature'], body: JSON.parse(raw.toString('utf8')) });
    response.end();
  });
});
const toldAbout = (id, name) => told.filter((t) => t.body.data?.id === id && t.body.event?.name === name);

async function until(what, condition) {
  const end = Date.now() + 15000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'waited in vain: ' + what);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

before(async () => {
  await new Promise((ready) => shop.listen(0, '127.0.0.1', ready));
});
after(() => shop.close());

const order = (more = {}) => ({ price: 10, currency: 'USD', posData: '{"basket":7}', itemDesc: 'Ein schönes Ding', orderId: randomUUID(), ...more });
const watched = () => ({ notificationURL: `http://127.0.0.1:${shop.address().port}/ipn`, extendedNotifications: true });

test('a client pairs: it asks for a token, the merchant approves the code', async () => {
  const [token] = JSON.parse(await rest.post('tokens', { id: sin, facade: 'merchant', label: 'node judge' }, false));
  assert.equal(token.facade, 'merchant');
  assert.match(token.pairingCode, /^[A-Za-z0-9]{7}$/);
  tokens.addMerchant(token.token);
  await assert.rejects(merchant.createInvoice(order()), (e) => /approv/.test(e.message), 'a token must not work before it is approved');
  const approved = operator('pair', 'approve', token.pairingCode);
  assert.deepEqual(approved.sins, [sin]);
});

test('the other way round: the merchant makes a code, the client claims it', async () => {
  const { pairingCode } = operator('pair', 'create', '--facade', 'pos', '--label', 'till 1');
  const [token] = JSON.parse(await rest.post('tokens', { id: sin, pairingCode }, false));
  assert.equal(token.facade, 'pos');
  tokens.addPos(token.token);
});

test('a pos client needs no key, only an open pos token', async () => {
  const { token } = operator('pair', 'create', '--open', '--label', 'web shop');
  const c = new sdk.TokenContainer();
  c.addPos(token);
  pos = new sdk.Client(null, null, c, null, undefined, undefined, new sdkClient.BitPayClient(base, null, null));
  const invoice = await pos.createInvoice(order(), sdk.Facade.Pos, false);
  assert.equal(invoice.status, 'new');
  const again = await pos.getInvoice(invoice.id, sdk.Facade.Pos, false);
  assert.equal(again.id, invoice.id);
  assert.equal(again.token, invoice.token);
  assert.equal((await pos.getInvoiceByGuid(invoice.guid, sdk.Facade.Pos, false)).id, invoice.id);
});

test('the signed pos token of a paired client works too', async () => {
  const invoice = await merchant.createInvoice(order(), sdk.Facade.Pos, true);
  assert.equal((await merchant.getInvoice(invoice.id, sdk.Facade.Pos, true)).status, 'new');
});

test('rates, currencies and wallets, with the stale signature of the last call', async () => {
  const rates = await merchant.getRates('BTC');
  const list = rates.getRates ? rates.getRates() : rates.rates;
  assert.equal(list.find((r) => r.code === 'USD').name, 'US Dollar');
  assert.ok(list.some((r) => r.code === 'BCH'));
  assert.ok((await merchant.getRates('BCH')).rates.some((r) => r.code === 'USD'));
  const rate = await merchant.getRate('BTC', 'USD');
  assert.equal(rate.code, 'USD');
  assert.ok(rate.rate > 0);
  const btc = await merchant.getCurrencyInfo('BTC');
  assert.equal(btc.name, 'Bitcoin');
  assert.equal(btc.decimals, 8);
  const wallets = await merchant.getSupportedWallets();
  assert.ok(wallets.length > 0 && wallets[0].currencies.length > 0);
  await assert.rejects(merchant.getRate('BTC', 'XXQ'), (e) => e.code === '020001' && /XXQ/.test(e.message));
});

test('an invoice is created, read and found by guid, with the same token', async () => {
  const guid = randomUUID();
  const made = await merchant.createInvoice(order({
    guid, buyer: { name: 'Jürgen Weiß', email: 'j@example.com', address1: 'Straße 1', locality: 'Köln', region: 'NRW', country: 'AD', notify: true },
    redirectURL: 'https://shop.example/return', closeURL: 'https://shop.example/close', autoRedirect: false,
    forcedBuyerSelectedWallet: 'bitpay', transactionSpeed: 'medium', notificationEmail: '', itemizedDetails: [{ amount: 10, description: 'One', isFee: false }],
  }));
  assert.equal(made.status, 'new');
  assert.equal(made.price, 10);
  assert.equal(made.posData, '{"basket":7}');
  assert.equal(made.itemDesc, 'Ein schönes Ding');
  assert.equal(made.buyer.name, 'Jürgen Weiß');
  assert.equal(made.exceptionStatus, false);
  assert.equal(typeof made.invoiceTime, 'number');
  assert.deepEqual(made.transactions, []);
  assert.ok(made.paymentTotals.BTC > 0);
  for (const key of ['exchangeRates', 'paymentSubtotals', 'paymentDisplayTotals', 'paymentDisplaySubTotals', 'paymentCodes']) assert.ok(key in made, key);
  const read = await merchant.getInvoice(made.id);
  assert.equal(read.token, made.token);
  assert.equal((await merchant.getInvoiceByGuid(guid)).id, made.id);
  const twice = await merchant.createInvoice(order({ guid }));
  assert.equal(twice.id, made.id, 'the same guid is the same invoice');
});

test('lists: bare dates, tomorrow as the end, status and limit', async () => {
  const day = (n) => new Date(Date.now() + n * 86400000).toISOString().slice(0, 10);
  const all = await merchant.getInvoices({ dateStart: day(-1), dateEnd: day(1) });
  assert.ok(all.length >= 3);
  assert.ok(all[0].invoiceTime >= all[all.length - 1].invoiceTime, 'newest first');
  const one = await merchant.getInvoices({ dateStart: day(-1), dateEnd: day(1), status: 'new', limit: 1, offset: 0 });
  assert.equal(one.length, 1);
  const mine = await merchant.getInvoices({ dateStart: day(-1), dateEnd: day(1), orderId: all[0].orderId });
  assert.deepEqual(mine.map((i) => i.id), [all[0].id]);
  assert.deepEqual(await merchant.getInvoices({ dateStart: day(-9), dateEnd: day(-8) }), []);
});

test('the buyer\'s e-mail can be given once and is shown in both places', async () => {
  const made = await merchant.createInvoice(order({ buyer: { email: 'first@example.com' } }));
  const updated = await merchant.updateInvoice(made.id, { buyerEmail: 'second@example.com' });
  assert.equal(updated.buyerProvidedEmail, 'second@example.com');
  assert.equal((await merchant.getInvoice(made.id)).buyer.email, 'second@example.com');
  await assert.rejects(merchant.updateInvoice(made.id, { buyerEmail: 'third@example.com' }), (e) => e.code === '030115');
  const sms = await merchant.createInvoice(order());
  const verified = await merchant.updateInvoice(sms.id, { buyerSms: '+12223334444', autoVerify: true });
  assert.equal(verified.buyerProvidedInfo.smsVerified, true);
});

test('an invoice is paid on the chain, and the shop is told in order', async () => {
  const made = await merchant.createInvoice(order(watched()));
  const confirmed = await merchant.payInvoice(made.id, 'confirmed');
  assert.equal(confirmed.status, 'confirmed');
  assert.equal(confirmed.transactionCurrency, 'BTC');
  assert.equal(confirmed.transactions.length, 1);
  assert.match(confirmed.transactions[0].txid, /^[0-9a-f]{64}$/);
  assert.equal(confirmed.transactions[0].amount, made.paymentTotals.BTC);
  const complete = await merchant.payInvoice(made.id, 'complete');
  assert.equal(complete.status, 'complete');
  await until('1006', () => toldAbout(made.id, 'invoice_completed').length === 1);
  assert.deepEqual(told.filter((t) => t.body.data.id === made.id).map((t) => t.body.event.code), [1003, 1005, 1006]);
  for (const t of told) {
    const want = createHmac('sha256', tokens.getToken('merchant')).update(t.raw).digest('base64');
    assert.equal(t.signature, want, 'x-signature over the raw body');
  }
});

test('an invoice can be completed at once', async () => {
  const made = await merchant.createInvoice(order());
  assert.equal((await merchant.payInvoice(made.id, 'complete')).status, 'complete');
  await assert.rejects(merchant.payInvoice(made.id, 'complete'), (e) => e.code === '030117');
  await assert.rejects(merchant.cancelInvoice(made.id), (e) => e.code === '040107');
});

test('invoices are cancelled by id and by guid', async () => {
  const first = await merchant.createInvoice(order());
  const cancelled = await merchant.cancelInvoice(first.id);
  assert.equal(cancelled.isCancelled, true);
  assert.equal(cancelled.status, 'expired');
  const second = await merchant.createInvoice(order({ guid: randomUUID() }));
  assert.equal((await merchant.cancelInvoiceByGuid(second.guid, true)).isCancelled, true);
});

test('a webhook is sent again on request, by the resource\'s own token', async () => {
  const made = await merchant.createInvoice(order(watched()));
  assert.equal(await merchant.requestInvoiceWebhookToBeResent(made.id, made.token), true);
  await until('1012', () => toldAbout(made.id, 'invoice_manuallyNotified').length === 1);
});

test('an event token opens the invoice\'s stream', async () => {
  const made = await merchant.createInvoice(order());
  const { url, token, events } = await merchant.getInvoiceEventToken(made.id);
  assert.deepEqual(events, ['payment', 'confirmation']);
  const stream = await fetch(`${url}?token=${token}&action=subscribe&events[]=payment&events[]=confirmation`, { headers: { Accept: 'text/event-stream' } });
  assert.equal(stream.status, 200);
  const reader = stream.body.getReader();
  const paying = merchant.payInvoice(made.id, 'confirmed');
  let text = '';
  while (!/event: payment\ndata: \{.*"id":"/.test(text)) {
    const { done, value } = await reader.read();
    assert.ok(!done, 'the stream ended early: ' + text);
    text += Buffer.from(value).toString('utf8');
  }
  await reader.cancel();
  await paying;
});

test('recipients are submitted, listed, read, changed, notified and removed', async () => {
  const [token] = JSON.parse(await rest.post('tokens', { id: sin, facade: 'payout', label: 'payroll' }, false));
  operator('pair', 'approve', token.pairingCode);
  tokens.addPayout(token.token);
  const url = watched().notificationURL;
  const invite = (...emails) => merchant.submitPayoutRecipients({ recipients: emails.map((email) => ({ email, label: 'Label of ' + email, notificationURL: url })) });
  const [alice, bob] = await invite('alice@example.com', 'bob@example.com');
  assert.equal(alice.email, 'alice@example.com');
  assert.equal(alice.label, 'Label of alice@example.com');
  assert.equal(alice.status, 'invited');
  assert.equal(alice.shopperId, null);
  assert.deepEqual((await merchant.getPayoutRecipients({ status: 'invited' })).map((r) => r.id).sort(), [alice.id, bob.id].sort());
  assert.equal((await merchant.getPayoutRecipients({ limit: 1 })).length, 1);
  assert.deepEqual(await merchant.getPayoutRecipients({ status: 'active', limit: '10', offset: '0' }), []);
  assert.deepEqual(await merchant.getPayoutRecipient(alice.id), alice);
  const changed = await merchant.updatePayoutRecipient(alice.id, { ...alice, label: 'Alice B.' });
  assert.equal(changed.label, 'Alice B.');
  assert.equal(changed.email, alice.email);
  assert.equal(await merchant.requestPayoutRecipientNotification(alice.id), true);
  const [again] = await invite('alice@example.com');
  assert.equal(again.id, alice.id);
  assert.equal(again.status, 'invited');
  assert.equal(await merchant.deletePayoutRecipient(alice.id), true);
  assert.equal((await merchant.getPayoutRecipient(alice.id)).status, 'removed');
  const [anew] = await invite('alice@example.com');
  assert.notEqual(anew.id, alice.id);
  assert.equal(anew.status, 'invited');
  const about = () => told.filter((t) => t.body.data?.id === alice.id).map((t) => t.body.event);
  await until('4001, 4007 and 4006', () => about().length === 3);
  assert.deepEqual(about(), [{ code: 4001, name: 'recipient_invited' }, { code: 4007, name: 'recipient_manuallyNotified' }, { code: 4006, name: 'recipient_removed' }]);
  const last = told.filter((t) => t.body.data?.id === alice.id).at(-1);
  assert.deepEqual(last.body.data, { id: alice.id, email: 'alice@example.com', label: 'Alice B.', status: 'removed', shopperId: null });
  assert.equal(last.signature, createHmac('sha256', token.token).update(last.raw).digest('base64'));
  await assert.rejects(merchant.getPayoutRecipient('Hpqc63wvE1ZjzeeH4kEycF'), (e) => e.code === '020001' && /not found/i.test(e.message));
  await assert.rejects(invite('nobody'), (e) => e.code === '010002' && /e-mail/.test(e.message));
});

test('errors arrive with their code and words', async () => {
  await assert.rejects(merchant.getInvoice('Hpqc63wvE1ZjzeeH4kEycF'), (e) => e.code === '020101' && /not found/i.test(e.message));
  await assert.rejects(merchant.createInvoice(order({ currency: 'ZZZ' })), (e) => e.code === '010102');
  await assert.rejects(merchant.createInvoice({ currency: 'USD' }), (e) => e.code === '010103');
});
