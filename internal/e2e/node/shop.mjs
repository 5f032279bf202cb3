// What every judge needs: the server under test, a shop with the official SDK
// unmodified, and the shop's own server that is told of events. The SDK's client
// object takes a base URL; everything else is as a shop uses it.
//
// QUITTANCE_URL is the server, QUITTANCE_CONTROL its chain's control,
// QUITTANCE_BIN the program, QUITTANCE_PLACE the flags that name its database.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createHmac, randomUUID } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import sdk from 'bitpay-sdk';
import sdkClient from 'bitpay-sdk/client';

export const base = process.env.QUITTANCE_URL + '/';
const place = JSON.parse(process.env.QUITTANCE_PLACE);

// An id in the right form that nothing has.
export const unknown = 'Hpqc63wvE1ZjzeeH4kEycF';

export const operator = (...args) =>
  JSON.parse(execFileSync(process.env.QUITTANCE_BIN, [...args, ...place, '--json'], { encoding: 'utf8' }));

export async function mine(blocks) {
  const answer = await fetch(process.env.QUITTANCE_CONTROL + '/mine', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ blocks }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

// until polls: what it waits for is done by the server's own loops.
export async function until(what, condition) {
  const end = Date.now() + 15000;
  for (;;) {
    const met = await condition();
    if (met) return met;
    assert.ok(Date.now() < end, 'waited in vain: ' + what);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

// newShop is an SDK client with a key of its own. keyless ones have open tokens only.
export function newShop({ keyless = false } = {}) {
  const keys = new sdk.KeyUtils();
  const ecKey = keyless ? null : keys.generate_keypair();
  const tokens = new sdk.TokenContainer();
  const rest = new sdkClient.BitPayClient(base, ecKey, ecKey && ecKey.getPublic().encodeCompressed('hex'));
  const client = new sdk.Client(null, null, tokens, null, undefined, undefined, rest);
  return { client, tokens, rest, ecKey, sin: ecKey && keys.get_sin_from_key(ecKey) };
}

// pair has the merchant approve a token of each facade.
export async function pair(shop, ...facades) {
  for (const facade of facades) {
    const [token] = JSON.parse(await shop.rest.post('tokens', { id: shop.sin, facade, label: 'judge of ' + facade }, false));
    operator('pair', 'approve', token.pairingCode);
    if (facade === 'payout') shop.tokens.addPayout(token.token);
    else shop.tokens.addMerchant(token.token);
  }
}

// newEar is the shop's own server. heard() is what it was told about a resource,
// in order of arrival; expect() waits for these events, and holds their signatures
// against the token that the resource was made with.
export async function newEar() {
  const told = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (c) => chunks.push(c));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      told.push({ raw, signature: request.headers['x-signature'], ...JSON.parse(raw.toString('utf8')) });
      response.end();
    });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const heard = (id) => told.filter((t) => t.data?.id === id);
  return {
    url: `http://127.0.0.1:${server.address().port}/ipn`,
    close: () => server.close(),
    heard,
    async expect(id, token, codes) {
      await until(`webhooks ${codes}`, () => heard(id).length >= codes.length);
      assert.deepEqual(heard(id).map((t) => t.event.code), codes);
      for (const t of heard(id)) {
        assert.equal(t.signature, createHmac('sha256', token).update(t.raw).digest('base64'), 'x-signature over the raw body');
      }
      return heard(id);
    },
  };
}

export const order = (more = {}) => ({ price: 10, currency: 'USD', posData: '{"basket":7}', itemDesc: 'Ein schönes Ding', orderId: randomUUID(), ...more });

// sold is an invoice that was paid to complete and whose buyer can be reached.
export async function sold(shop, more = {}) {
  const made = await shop.client.createInvoice(order({ buyer: { email: 'buyer@example.com', name: 'Ann Buyer' }, ...more }));
  return shop.client.payInvoice(made.id, 'complete');
}

// refused checks that a call is refused with a code, and with words if they matter.
export const refused = (call, code, words = /./) => assert.rejects(call, (e) => {
  assert.equal(e.code, code, e.message);
  assert.match(e.message, words);
  return true;
});

// conforms holds an answer against the SDK's own description of it, which the SDK
// ships and does not apply.
const load = createRequire(import.meta.url);
export function conforms(model, answer) {
  const [schema] = Object.values(load(`./node_modules/bitpay-sdk/dist/Model/${model}.zod.js`));
  const { success, error } = schema.safeParse(answer);
  assert.ok(success, `${model}: ${error?.message}`);
}

// cents compares amounts of money without fractions.
export const cents = (dollars) => {
  const whole = Math.round(dollars * 100);
  assert.ok(Math.abs(dollars * 100 - whole) < 1e-6, `${dollars} is no whole number of cents`);
  return whole;
};

export const day = (n) => new Date(Date.now() + n * 86400000).toISOString().slice(0, 10);
