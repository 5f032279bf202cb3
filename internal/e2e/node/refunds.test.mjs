// The official Node SDK, unmodified, gives money back.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import sdk from 'bitpay-sdk';
import { address, claimRefund } from './person.mjs';
import { conforms, mine, newEar, newShop, order, pair, refused, sold, unknown, until } from './shop.mjs';

const shop = newShop();
const merchant = shop.client;
let ear, token;

before(async () => {
  ear = await newEar();
  await pair(shop, 'merchant');
  token = shop.tokens.getToken('merchant');
});
after(() => ear.close());

const watched = () => ({ notificationURL: ear.url, extendedNotifications: true });
const becomes = (id, status) => until(`refund ${status}`, async () => {
  const refund = await merchant.getRefund(id);
  return refund.status === status && refund;
});

test('right after pay to complete a refund is created, found, told again, cancelled, and made anew', async () => {
  const invoice = await sold(shop, watched());
  const guid = randomUUID();
  const refund = await merchant.createRefund({ invoice: invoice.id, amount: 10, currency: 'USD', guid });
  conforms('Invoice/Refund', refund);
  assert.equal(refund.status, 'created');
  assert.equal(refund.invoice, invoice.id);
  assert.equal(refund.amount, 10);
  assert.equal(refund.guid, guid);
  assert.equal(refund.transactionCurrency, 'BTC');
  assert.ok(refund.transactionAmount > 0 && refund.transactionRefundFee > 0);
  assert.equal((await merchant.createRefund({ invoice: invoice.id, amount: 10, currency: 'USD', guid })).id, refund.id, 'the same guid is the same refund');
  assert.deepEqual(await merchant.getRefund(refund.id), refund);
  assert.deepEqual(await merchant.getRefundByGuid(guid), refund);
  assert.deepEqual(await merchant.getRefunds(invoice.id), [refund]);
  await refused(merchant.createRefund({ invoice: invoice.id, amount: 1 }), '010204');
  assert.equal(await merchant.sendRefundNotification(refund.id, refund.token), true);
  assert.equal((await merchant.cancelRefund(refund.id)).status, 'canceled');
  assert.equal((await merchant.getRefund(refund.id)).status, 'canceled');
  const next = await merchant.createRefund({ invoice: invoice.id, amount: 4.5 });
  assert.equal(next.status, 'created');
  assert.equal(next.currency, 'USD');
  assert.equal((await merchant.cancelRefundByGuid(next.guid)).status, 'canceled');
  assert.equal((await merchant.getRefunds(invoice.id)).length, 2);
  const told = await ear.expect(refund.id, token, [7001, 7006, 7005]);
  assert.deepEqual(told.map((t) => t.event.name), ['refund_created', 'refund_manuallyNotified', 'refund_cancelled']);
  assert.equal(told.at(-1).data.status, 'canceled');
  assert.ok(!('token' in told.at(-1).data), 'a webhook opens nothing');
});

test('a preview moves nothing until it is updated, by id or by guid', async () => {
  const invoice = await sold(shop);
  const preview = () => merchant.createRefund({ invoice: invoice.id, amount: 3, currency: 'USD', preview: true, immediate: false, buyerPaysRefundFee: false });
  const first = await preview();
  assert.equal(first.status, 'preview');
  assert.equal(first.supportRequest, undefined);
  assert.equal((await merchant.updateRefund(first.id, 'created')).status, 'created');
  await refused(merchant.updateRefund(first.id, 'created'), '030202');
  await merchant.cancelRefund(first.id);
  const second = await preview();
  await refused(merchant.updateRefundByGuid(second.guid, 'success'), '030202', /confirms a preview/);
  assert.equal((await merchant.updateRefundByGuid(second.guid, 'created')).status, 'created');
  assert.equal((await merchant.cancelRefund(second.id)).status, 'canceled');
});

test('a refund reaches its buyer on the chain, and the shop is told in order', async () => {
  const invoice = await sold(shop, watched());
  const { id } = await merchant.createRefund({ invoice: invoice.id, amount: 6, currency: 'USD', buyerPaysRefundFee: true });
  await claimRefund(id, 'buyer@example.com');
  const sent = await becomes(id, sdk.RefundStatus.Pending);
  assert.match(sent.txid, /^[0-9a-f]{64}$/);
  assert.equal(sent.refundAddress, address);
  await refused(merchant.cancelRefund(id), '040202', /being paid/);
  await mine(6);
  const done = await becomes(id, sdk.RefundStatus.Success);
  conforms('Invoice/Refund', done);
  assert.equal(done.txid, sent.txid);
  assert.equal((await merchant.getInvoice(invoice.id)).status, 'complete');
  const told = await ear.expect(id, token, [7001, 7002, 7003]);
  assert.equal(told.at(-1).data.txid, sent.txid);
  assert.equal(told.at(-1).data.status, 'success');
  const notes = await ear.expect(invoice.id, token, [1003, 1005, 1006, 1016]);
  assert.equal(notes.at(-1).event.name, 'invoice_refundComplete');
  await refused(merchant.createRefund({ invoice: invoice.id, amount: 4.01 }), '010202', /4\.00 USD/);
});

test('an invoice that is only confirmed is declined and refunded in full, for good', async () => {
  const made = await merchant.createInvoice(order({ buyer: { email: 'early@example.com' }, ...watched() }));
  await merchant.payInvoice(made.id, 'confirmed');
  await refused(merchant.createRefund({ invoice: made.id, amount: 5 }), '010202', /in full/);
  const refund = await merchant.createRefund({ invoice: made.id, amount: 10 });
  assert.equal((await merchant.getInvoice(made.id)).status, 'declined');
  await refused(merchant.cancelRefund(refund.id), '040202');
  await claimRefund(refund.id, 'early@example.com');
  await mine(6);
  await becomes(refund.id, 'pending');
  await mine(6);
  await becomes(refund.id, 'success');
  await ear.expect(refund.id, token, [7001, 7002, 7003]);
});

test('what cannot be refunded is refused with its code', async () => {
  const fresh = await merchant.createInvoice(order({ buyer: { email: 'b@example.com' } }));
  await refused(merchant.createRefund({ invoice: fresh.id, amount: 1 }), '010207');
  await refused(merchant.createRefund({ invoice: unknown, amount: 1 }), '010101');
  const invoice = await sold(shop);
  await refused(merchant.createRefund({ invoice: invoice.id, amount: 10.01 }), '010202');
  await refused(merchant.createRefund({ invoice: invoice.id }), '010203', /amount/);
  await refused(merchant.createRefund({ invoice: invoice.id, amount: 0.1, buyerPaysRefundFee: true }), '010208');
  const nobody = await merchant.createInvoice(order());
  await merchant.payInvoice(nobody.id, 'complete');
  await refused(merchant.createRefund({ invoice: nobody.id, amount: 1 }), '010108');
  await refused(merchant.getRefund(unknown), '020201');
  await refused(merchant.getRefundByGuid(randomUUID()), '020201');
  assert.deepEqual(await merchant.getRefunds(invoice.id), []);
});
