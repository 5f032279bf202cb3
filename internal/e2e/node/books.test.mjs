// The official Node SDK, unmodified, reads the books and sends bills.
import { test, before } from 'node:test';
import assert from 'node:assert/strict';
import { mailed, openBill } from './person.mjs';
import { cents, conforms, day, newShop, operator, pair, refused, sold, unknown } from './shop.mjs';

const shop = newShop();
const merchant = shop.client;
const till = newShop({ keyless: true });

before(async () => {
  await pair(shop, 'merchant');
  till.tokens.addPos(operator('pair', 'create', '--open', '--label', 'till').token);
});

const ago = (days) => new Date(Date.now() - days * 86400000);
const balance = async () => cents((await merchant.getLedgers()).find((l) => l.currency === 'USD').balance);
const lines = () => merchant.getLedgerEntries('USD', ago(10), new Date());

test('a ledger has a balance, and a line for each complete invoice', async () => {
  const before = await balance();
  const invoice = await sold(shop, { price: 47.11 });
  for (const ledger of await merchant.getLedgers()) conforms('Ledger/Ledger', ledger);
  assert.equal(await balance() - before, 4711);
  const entries = await lines();
  conforms('Ledger/LedgerEntry', entries[0]);
  const mine = entries.filter((e) => e.invoiceId === invoice.id);
  assert.equal(mine.length, 1);
  assert.deepEqual([mine[0].code, mine[0].txType, mine[0].amount / mine[0].scale, mine[0].invoiceAmount], [1000, 'sale', 47.11, 47.11]);
  assert.equal(mine[0].buyerFields.buyerName, 'Ann Buyer');
  assert.ok(entries.every((e) => Number.isInteger(e.amount)));
});

test('ten days and a month of a ledger are answered, two years are refused', async () => {
  assert.ok((await merchant.getLedgerEntries('USD', ago(30), new Date())).length > 0);
  assert.deepEqual(await merchant.getLedgerEntries('EUR', ago(10), new Date()), []);
  await refused(merchant.getLedgerEntries('USD', ago(730), new Date()), '020002', /366 days/);
  await refused(merchant.getLedgerEntries('NOPE', ago(1), new Date()), '020001');
});

test('a period is settled: listed, read and reported, to the cent', async () => {
  const invoice = await sold(shop, { price: 80 });
  const pending = await merchant.createRefund({ invoice: invoice.id, amount: 20.5 });
  const { id } = operator('settlement', 'now', '--currency', 'USD');
  const list = await merchant.getSettlements({ currency: 'USD', dateStart: day(-1), dateEnd: day(1), status: 'completed', limit: 10, offset: 0 });
  const listed = list.find((s) => s.id === id);
  conforms('Settlement/Settlement', listed);
  assert.deepEqual(await merchant.getSettlement(id), listed);
  const report = await merchant.getSettlementReconciliationReport(id, listed.token);
  conforms('Settlement/Settlement', report);
  const sum = report.ledgerEntries.reduce((n, e) => n + cents(e.amount), 0);
  const [opening, entries, withheld, total] = ['openingBalance', 'ledgerEntriesSum', 'withholdingsSum', 'totalAmount'].map((f) => cents(report[f]));
  assert.equal(sum, entries);
  assert.equal(opening + entries - withheld, total);
  assert.deepEqual(report.withholdings.map((w) => w.code), ['W005']);
  assert.equal(withheld, 2050 + cents(pending.refundFee));
  assert.equal(await balance(), withheld);
  const sale = report.ledgerEntries.find((e) => e.invoiceId === invoice.id);
  assert.deepEqual([sale.code, sale.amount, sale.invoiceData.price, sale.invoiceData.payoutPercentage], [1000, 80, 80, { USD: 100 }]);
  assert.ok((await lines()).some((e) => e.code === 1017 && e.description === 'Account Settlement ' + id && cents(e.amount / e.scale) === -total));
  assert.equal((await merchant.cancelRefund(pending.id)).status, 'canceled');
});

test('a list of settlements takes an empty status, and a report only its own token', async () => {
  const all = await merchant.getSettlements({ currency: 'USD', dateStart: day(-1), dateEnd: day(1), status: '' });
  assert.ok(all.length > 0);
  assert.deepEqual(await merchant.getSettlements({ currency: 'EUR', dateStart: day(-1), dateEnd: day(1) }), []);
  const invoice = await sold(shop);
  // The SDK rewords every refusal about a settlement, its code too.
  const failed = { name: 'BITPAY-EXCEPTION' };
  await assert.rejects(merchant.getSettlementReconciliationReport(all[0].id, invoice.token), failed);
  await assert.rejects(merchant.getSettlement(unknown), failed);
});

const bill = (more = {}) => ({
  number: 'bill-1234', currency: 'USD', name: 'John Doe', address1: '2630 Hegal Place', city: 'Alexandria', state: 'VA', zip: '23242', country: 'US',
  email: 'payer@example.com', cc: ['copy@example.com'], phone: '555-123-456', dueDate: '2031-5-31', passProcessingFee: true,
  items: [{ description: 'Test Item 1', price: 6, quantity: 1 }, { description: 'Test Item 2', price: 4, quantity: 2 }], ...more,
});

test('a bill is created, read, listed, updated by its own token and delivered', async () => {
  const made = await merchant.createBill(bill());
  conforms('Bill/Bill', made);
  assert.equal(made.status, 'draft');
  assert.equal(made.dueDate, '2031-05-31T00:00:00.000Z');
  assert.deepEqual(made.items.map((i) => [i.description, i.price, i.quantity]), [['Test Item 1', 6, 1], ['Test Item 2', 4, 2]]);
  assert.deepEqual(await merchant.getBill(made.id), made);
  assert.ok((await merchant.getBills()).some((b) => b.id === made.id));
  assert.ok((await merchant.getBills('draft')).some((b) => b.id === made.id));
  assert.deepEqual(await merchant.getBills('nonsense'), []);
  const items = [{ description: 'Updated', price: 9, quantity: 1 }, { description: 'New', price: 5, quantity: 1 }];
  const { number, ...rest } = made;
  const changed = await merchant.updateBill({ ...rest, email: 'new@example.com', items }, made.id);
  assert.deepEqual([changed.id, changed.number, changed.email, changed.token], [made.id, number, 'new@example.com', made.token]);
  assert.deepEqual(changed.items.map((i) => i.price), [9, 5]);
  assert.equal(await merchant.deliverBill(made.id, made.token), true);
  assert.equal(await mailed('new@example.com', /\/bill\?id=([1-9A-HJ-NP-Za-km-z]+)/), made.id);
  assert.equal((await merchant.getBill(made.id)).status, 'sent');
  await refused(merchant.deliverBill(made.id, made.token), '010002', /less than a minute/);
});

test('a bill is paid on the chain and complete with its invoice', async () => {
  const made = await merchant.createBill(bill({ number: 'bill-paid' }));
  assert.equal(await merchant.deliverBill(made.id, made.token), true);
  const before = await balance();
  const invoice = await merchant.getInvoice(await openBill(made.id));
  assert.deepEqual([invoice.price, invoice.orderId, invoice.billId], [14, 'bill-paid', made.id]);
  assert.equal((await merchant.getBill(made.id)).status, 'new');
  await merchant.payInvoice(invoice.id, 'confirmed');
  assert.equal((await merchant.getBill(made.id)).status, 'paid');
  await merchant.payInvoice(invoice.id, 'complete');
  assert.equal((await merchant.getBill(made.id)).status, 'complete');
  assert.ok((await merchant.getBills('complete')).some((b) => b.id === made.id));
  assert.equal(await balance() - before, 1400);
  await refused(merchant.updateBill(made, made.id), '030002', /complete/);
});

test('a till bills without a key and does not see who is billed', async () => {
  const made = await till.client.createBill(bill(), 'pos', false);
  assert.equal(made.status, 'draft');
  const read = await till.client.getBill(made.id, 'pos', false);
  assert.equal(read.id, made.id);
  assert.equal(read.name, undefined);
  assert.equal(await till.client.deliverBill(made.id, made.token), true);
});

test('a bill that nobody can get is refused in the known words', async () => {
  await refused(merchant.createBill(bill({ email: undefined })), '010002', /^Validation errors occurred: Valid email required if emailBill is not set to false\.$/);
  await refused(merchant.createBill(bill({ currency: undefined })), '010003', /currency/);
  await refused(merchant.getBill(unknown), '020001');
});
