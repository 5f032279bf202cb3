// The official Node SDK, unmodified, pays people.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import sdk from 'bitpay-sdk';
import { onboard } from './person.mjs';
import { conforms, day, mine, newEar, newShop, operator, pair, refused, sold, unknown, until } from './shop.mjs';

const shop = newShop();
const merchant = shop.client;
let ear, token;

before(async () => {
  ear = await newEar();
  await pair(shop, 'merchant', 'payout');
  token = shop.tokens.getToken('payout');
  operator('merchant', 'set', '--payout-runs', 'now');
});
after(() => ear.close());

const invite = async (email) => {
  const [recipient] = await merchant.submitPayoutRecipients({ recipients: [{ email, label: 'Label of ' + email, notificationURL: ear.url }] });
  return recipient;
};
const payment = (more = {}) => ({
  amount: 10, currency: 'USD', ledgerCurrency: 'USD', reference: randomUUID(), notificationEmail: 'books@example.com', notificationURL: ear.url, label: 'wages', ...more,
});
const becomes = (id, status) => until(`payout ${status}`, async () => {
  const payout = await merchant.getPayout(id);
  return payout.status === status && payout;
});

test('one e-mail address is submitted again and again', async () => {
  const first = await invite('again@example.com');
  conforms('Payout/PayoutRecipient', first);
  for (let n = 0; n < 3; n++) {
    const next = await invite('again@example.com');
    assert.equal(next.id, first.id);
    assert.equal(next.status, sdk.RecipientStatus.INVITED);
    assert.equal(next.shopperId, null);
  }
  assert.equal((await merchant.getPayoutRecipients({ limit: 1 })).length, 1);
  assert.equal(await merchant.requestPayoutRecipientNotification(first.id), true);
  assert.equal(await merchant.deletePayoutRecipient(first.id), true);
  assert.equal((await invite('again@example.com')).status, 'invited');
  await ear.expect(first.id, token, [4001, 4007, 4006]);
});

test('a payout to somebody who was only invited is new: read, listed, told again, cancelled, asked for again', async () => {
  const recipient = await invite('slow@example.com');
  const asked = payment({ recipientId: recipient.id, effectiveDate: day(0) });
  const made = await merchant.submitPayout({ ...asked });
  conforms('Payout/Payout', made);
  assert.equal(made.status, 'new');
  assert.equal(made.email, 'slow@example.com');
  for (const field of ['recipientId', 'amount', 'currency', 'ledgerCurrency', 'reference', 'notificationEmail', 'notificationURL', 'label']) assert.equal(made[field], asked[field], field);
  assert.deepEqual(made.transactions, []);
  assert.equal(made.effectiveDate, day(0) + 'T09:00:00.000Z');
  assert.deepEqual(await merchant.getPayout(made.id), made);
  const found = await merchant.getPayouts({ startDate: new Date(Date.now() - 86400000).toISOString(), endDate: day(1), status: 'new', reference: asked.reference, limit: 10, offset: 0 });
  assert.deepEqual(found, [made]);
  assert.deepEqual(await merchant.getPayouts({ startDate: day(-9), endDate: day(-8) }), []);
  assert.equal(await merchant.requestPayoutNotification(made.id), true);
  assert.equal(await merchant.cancelPayout(made.id), true);
  assert.equal((await merchant.getPayout(made.id)).status, 'cancelled');
  const anew = await merchant.submitPayout({ ...asked });
  assert.notEqual(anew.id, made.id);
  assert.equal(anew.status, 'new');
  assert.equal(await merchant.cancelPayout(anew.id), true);
  const told = await ear.expect(made.id, token, [5005, 5004]);
  assert.deepEqual(told.map((t) => t.event.name), ['payout_manuallyNotified', 'payout_cancelled']);
});

test('a group is made as far as it can be, and its new members are cancelled', async () => {
  const twice = payment({ email: 'group@example.com', reference: 'the same' });
  const group = await merchant.submitPayouts([twice, twice, payment({ email: 'other@example.com' }), payment({ recipientId: unknown }), payment({ email: 'poor@example.com', amount: 1 })]);
  assert.equal(group.payouts.length, 3);
  const [one, two, three] = group.payouts;
  for (const p of group.payouts) {
    conforms('Payout/Payout', p);
    assert.equal(p.status, 'new');
    assert.equal(p.groupId, one.groupId);
  }
  assert.notEqual(one.id, two.id, 'two equal members are two payouts');
  assert.deepEqual(group.failed.map((f) => f.payee).sort(), [unknown, 'poor@example.com'].sort());
  assert.match(group.failed.find((f) => f.payee === 'poor@example.com').errMessage, /minimum of 5 USD/);
  assert.equal((await merchant.getPayouts({ groupId: one.groupId })).length, 3);
  assert.equal(await merchant.cancelPayout(three.id), true);
  const gone = await merchant.cancelPayouts(one.groupId);
  assert.deepEqual(gone.payouts.map((p) => p.status), ['cancelled', 'cancelled', 'cancelled']);
  assert.deepEqual(gone.failed, []);
  for (const p of group.payouts) await ear.expect(p.id, token, [5004]);
  await refused(merchant.cancelPayouts(unknown), '040001');
});

test('a recipient is onboarded and paid on the chain, alone and in a group, and the shop is told in order', async () => {
  await sold(shop, { price: 100 });
  const recipient = await invite('ada@example.com');
  const early = await merchant.submitPayout(payment({ email: 'ada@example.com' }));
  await onboard('ada@example.com');
  const active = await merchant.getPayoutRecipient(recipient.id);
  assert.equal(active.status, 'active');
  assert.ok(active.shopperId);
  await ear.expect(recipient.id, token, [4001, 4002, 4003, 4004]);
  const { payouts } = await merchant.submitPayouts([payment({ shopperId: active.shopperId }), payment({ recipientId: recipient.id, amount: 12.34 })]);
  const all = [early, ...payouts];
  for (const p of all) await becomes(p.id, 'processing');
  await refused(merchant.cancelPayout(early.id), '040002');
  const gone = await merchant.cancelPayouts(payouts[0].groupId);
  assert.deepEqual([gone.payouts.length, gone.failed.length], [0, 2], 'what is on its way stays');
  await mine(6);
  for (const p of all) {
    const done = await becomes(p.id, 'complete');
    conforms('Payout/Payout', done);
    assert.match(done.transactions[0].txid, /^[0-9a-f]{64}$/);
    assert.ok(done.exchangeRates.BTC.USD > 0);
    assert.ok(done.transactions[0].amount > 0);
    const told = await ear.expect(p.id, token, [5001, 5002, 5003]);
    const { data } = told.at(-1);
    conforms('Webhook/PayoutWebhook', data);
    assert.deepEqual([data.status, data.price, data.amount, data.date], ['complete', p.amount, p.amount, done.dateExecuted]);
  }
});

test('what cannot be paid out is refused with its code', async () => {
  await refused(merchant.submitPayout(payment({ recipientId: unknown })), '010001');
  await refused(merchant.submitPayout(payment({ email: 'x@example.com', amount: 4.99 })), '010002', /minimum of 5 USD/);
  await refused(merchant.submitPayout(payment({ email: 'x@example.com', amount: undefined })), '010003', /amount/);
  await refused(merchant.submitPayout(payment()), '010003', /recipientId, shopperId or email/);
  await refused(merchant.getPayout(unknown), '020001');
  await refused(merchant.cancelPayout(unknown), '040001');
  await refused(merchant.getPayouts({ status: 'nonsense' }), '020002');
});
