// The official Node SDK, unmodified, pairs, asks, and takes invoices through their
// lives. Money that leaves is judged in refunds, payouts and books.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import sdk from 'bitpay-sdk';
import { day, newEar, newShop, operator, order, pair, refused, unknown } from './shop.mjs';

const shop = newShop();
const { client: merchant, tokens, rest, sin } = shop;
const till = newShop({ keyless: true });
const pos = till.client;
let ear;

before(async () => {
  ear = await newEar();
});
after(() => ear.close());

const watched = () => ({ notificationURL: ear.url, extendedNotifications: true });

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
  till.tokens.addPos(token);
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
  await refused(merchant.getRate('BTC', 'XXQ'), '020001', /XXQ/);
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
  await refused(merchant.updateInvoice(made.id, { buyerEmail: 'third@example.com' }), '030115');
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
  await ear.expect(made.id, tokens.getToken('merchant'), [1003, 1005, 1006]);
});

test('an invoice can be completed at once', async () => {
  const made = await merchant.createInvoice(order());
  assert.equal((await merchant.payInvoice(made.id, 'complete')).status, 'complete');
  await refused(merchant.payInvoice(made.id, 'complete'), '030117');
  await refused(merchant.cancelInvoice(made.id), '040107');
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
  await ear.expect(made.id, tokens.getToken('merchant'), [1012]);
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
  await pair(shop, 'payout');
  const invite = (...emails) => merchant.submitPayoutRecipients({ recipients: emails.map((email) => ({ email, label: 'Label of ' + email, notificationURL: ear.url })) });
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
  const told = await ear.expect(alice.id, tokens.getToken('payout'), [4001, 4007, 4006]);
  assert.deepEqual(told.map((t) => t.event.name), ['recipient_invited', 'recipient_manuallyNotified', 'recipient_removed']);
  assert.deepEqual(told.at(-1).data, { id: alice.id, email: 'alice@example.com', label: 'Alice B.', status: 'removed', shopperId: null });
  await refused(merchant.getPayoutRecipient(unknown), '020001', /not found/i);
  await refused(invite('nobody'), '010002', /e-mail/);
});

test('errors arrive with their code and words', async () => {
  await refused(merchant.getInvoice(unknown), '020101', /not found/i);
  await refused(merchant.createInvoice(order({ currency: 'ZZZ' })), '010102');
  await refused(merchant.createInvoice({ currency: 'USD' }), '010103');
});
