// BitPay's own wallet pays: its payment protocol client and its Bitcoin library,
// unmodified, against the program. The client holds every answer's signature against
// keys that it was given, here those that the server publishes.
import test, { before, after } from 'node:test';
import assert from 'node:assert/strict';
import wallet from 'bitcore-wallet-client';
import core from 'crypto-wallet-core';
import { base, mine, newEar, newShop, order, pair, until } from './shop.mjs';

const { PayProV2 } = wallet;
const { PrivateKey, Address, Transaction, Script } = core.BitcoreLib;
const bpPartner = { bp_partner: 'judge', bp_partner_version: '1' };

let shop, ear, protocol;

before(async () => {
  ear = await newEar();
  shop = newShop();
  await pair(shop, 'merchant');
  const keys = await (await fetch(base + 'signingKeys/paymentProtocol.json')).json();
  assert.ok(new Date(keys.expirationDate) > new Date());
  const trusted = {};
  for (const publicKey of keys.publicKeys) {
    const identity = Address.fromPublicKey(new core.BitcoreLib.PublicKey(publicKey), 'testnet').toString();
    trusted[identity] = { owner: keys.owner, networks: ['regtest'], domains: keys.validDomains, publicKey };
  }
  protocol = new PayProV2({}, trusted) && PayProV2;
});

after(() => ear.close());

// fill gives a new wallet one coin in a block.
async function fill(satoshis) {
  const key = new PrivateKey('regtest');
  const address = Address.fromPublicKey(key.toPublicKey(), 'regtest', 'witnesspubkeyhash');
  const answer = await fetch(process.env.QUITTANCE_CONTROL + '/pay', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ address: address.toString(), amount: satoshis }),
  });
  const { txid } = await answer.json();
  assert.ok(txid);
  await mine(1);
  return { key, address, coin: { txId: txid, outputIndex: 0, satoshis, script: Script.buildWitnessV0Out(address).toString() } };
}

// compose is the transaction that a payment request asks for, not signed.
function compose(purse, instruction, more = 0) {
  const [output] = instruction.outputs;
  const fee = Math.ceil(instruction.requiredFeeRate * 150);
  return new Transaction().from([purse.coin]).to(output.address, output.amount + more).fee(fee).change(purse.address);
}

async function offered(invoice) {
  const options = await protocol.getPaymentOptions({ paymentUrl: invoice.paymentCodes.BTC.BIP72b });
  assert.equal(options.paymentId, invoice.id);
  const [{ chain, currency, network, estimatedAmount, decimals }] = options.paymentOptions;
  assert.deepEqual({ chain, currency, network, estimatedAmount, decimals }, { chain: 'BTC', currency: 'BTC', network: 'regtest', estimatedAmount: invoice.paymentTotals.BTC, decimals: 8 });
  const request = await protocol.selectPaymentOption({ paymentUrl: options.payProUrl, chain: 'btc', currency: 'BTC' });
  assert.equal(request.network, 'regtest');
  return { paymentUrl: options.payProUrl, instruction: request.instructions[0], chain: 'btc', currency: 'BTC' };
}

const status = async (invoice) => (await shop.client.getInvoice(invoice.id)).status;

test('BitPay\'s wallet pays an invoice, and the shop is told', async () => {
  const invoice = await shop.client.createInvoice(order({ notificationURL: ear.url, extendedNotifications: true, fullNotifications: true }));
  assert.match(invoice.paymentCodes.BTC.BIP21, /^bitcoin:bcrt1/);
  const purse = await fill(1_000_000);
  const { instruction, ...to } = await offered(invoice);
  const tx = compose(purse, instruction);
  const unsigned = tx.uncheckedSerialize();
  tx.sign(purse.key);
  const signed = tx.serialize();
  const verified = await protocol.verifyUnsignedPayment({ ...to, unsignedTransactions: [{ tx: unsigned, weightedSize: signed.length / 2 }] });
  assert.equal(verified.memo, 'Payment appears valid');
  assert.equal(await status(invoice), 'new');
  for (let again = 0; again < 2; again++) {
    const sent = await protocol.sendSignedPayment({ ...to, signedTransactions: [{ tx: signed }], bpPartner });
    assert.match(sent.memo, /handed to the network/);
    assert.equal(await status(invoice), 'paid');
  }
  await mine(6);
  await until('the invoice to complete', async () => (await status(invoice)) === 'complete');
  const paid = await shop.client.getInvoice(invoice.id);
  assert.equal(paid.nonPayProPaymentReceived, false);
  assert.deepEqual(paid.transactions.map((t) => [t.txid, t.amount]), [[tx.id, instruction.outputs[0].amount]]);
  await until('the webhooks', () => ear.heard(invoice.id).some((t) => t.event.name === 'invoice_completed'));
});

test('a wallet that is wrong is told so, and a second one pays nothing', async () => {
  const invoice = await shop.client.createInvoice(order());
  const [first, second] = [await fill(500_000), await fill(500_000)];
  const { instruction, ...to } = await offered(invoice);
  const wrong = compose(first, instruction, 1);
  await assert.rejects(protocol.verifyUnsignedPayment({ ...to, unsignedTransactions: [{ tx: wrong.uncheckedSerialize() }] }));
  await assert.rejects(protocol.sendSignedPayment({ ...to, signedTransactions: [{ tx: wrong.sign(first.key).serialize() }], bpPartner }));
  const unsigned = compose(first, instruction).uncheckedSerialize();
  await assert.rejects(protocol.sendSignedPayment({ ...to, signedTransactions: [{ tx: unsigned }], bpPartner }));
  assert.equal(await status(invoice), 'new');
  const good = compose(first, instruction).sign(first.key).serialize();
  const late = compose(second, instruction).sign(second.key).serialize();
  const both = await Promise.allSettled([good, late].map((tx) => protocol.sendSignedPayment({ ...to, signedTransactions: [{ tx }], bpPartner })));
  assert.deepEqual(both.map((b) => b.status).sort(), ['fulfilled', 'rejected']);
  assert.equal(await status(invoice), 'paid');
  await assert.rejects(protocol.getPaymentOptions({ paymentUrl: invoice.paymentCodes.BTC.BIP72b }));
  await assert.rejects(protocol.getPaymentOptions({ paymentUrl: base + 'i/Hpqc63wvE1ZjzeeH4kEycF' }), /invoice is no available/);
});

test('the wallet believes no key that it was not given', async () => {
  const invoice = await shop.client.createInvoice(order());
  const kept = PayProV2.trustedKeys;
  try {
    PayProV2.trustedKeys = { mh65MN7drqmwpCRZcEeBEE9ceQCQ95HtZc: Object.values(kept)[0] };
    await assert.rejects(protocol.getPaymentOptions({ paymentUrl: invoice.paymentCodes.BTC.BIP72b }), /unknown key/);
  } finally {
    PayProV2.trustedKeys = kept;
  }
});
