// The people at the other end: a buyer and a recipient, with a mailbox (the
// sandbox's), a browser that fills in forms, and a wallet of one key.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import sdk from 'bitpay-sdk';
import { base, until } from './shop.mjs';

const hash = (name, data) => createHash(name).update(data).digest();
const sha256d = (data) => hash('sha256', hash('sha256', data));
const key = new sdk.KeyUtils().generate_keypair();

const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
function base58(bytes) {
  let text = '';
  for (let n = BigInt('0x' + bytes.toString('hex')); n > 0n; n /= 58n) text = digits[Number(n % 58n)] + text;
  return text;
}

// The pay-to-public-key-hash address of the wallet's key, on regtest.
export const address = (() => {
  const compressed = Buffer.from(key.getPublic().encodeCompressed('hex'), 'hex');
  const body = Buffer.concat([Buffer.from([0x6f]), hash('ripemd160', hash('sha256', compressed))]);
  return base58(Buffer.concat([body, sha256d(body).subarray(0, 4)]));
})();

// sign is what a wallet's "sign message" prints.
export function sign(text) {
  const part = (s) => {
    const bytes = Buffer.from(s);
    assert.ok(bytes.length < 65536);
    const size = bytes.length < 253 ? [bytes.length] : [253, bytes.length & 255, bytes.length >> 8];
    return Buffer.concat([Buffer.from(size), bytes]);
  };
  const s = key.sign(sha256d(Buffer.concat([part('Bitcoin Signed Message:\n'), part(text)])), { canonical: true });
  return Buffer.concat([Buffer.from([31 + s.recoveryParam]), s.r.toArrayLike(Buffer, 'be', 32), s.s.toArrayLike(Buffer, 'be', 32)]).toString('base64');
}

const plain = (page) => page.replace(/&#(\d+);/g, (_, n) => String.fromCodePoint(n)).replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

function part(page, pattern) {
  const found = pattern.exec(page);
  assert.ok(found, `no ${pattern} in\n${page}`);
  return plain(found[1]);
}

// mailed waits for the newest mail to somebody that holds a link.
export function mailed(to, pattern) {
  return until(`a mail to ${to} with ${pattern}`, async () => {
    const page = await (await fetch(base + 'sandbox/mails')).text();
    for (const mail of page.split('<li>').slice(1)) {
      const link = mail.includes(`to ${to},`) && pattern.exec(plain(mail));
      if (link) return link[1];
    }
    return null;
  });
}

async function submit(path, fields) {
  const answer = await fetch(base + path, { method: 'POST', body: new URLSearchParams(fields) });
  return answer.text();
}

// claimRefund is a buyer who types an address, sees it again and confirms it.
export async function claimRefund(refundId, to) {
  const code = await mailed(to, new RegExp(`/refund\\?id=${refundId}&code=([0-9A-Za-z]+)`));
  const fields = { id: refundId, code, address };
  assert.match(await submit('refund', fields), /Is this your address\?/);
  assert.match(await submit('refund', { ...fields, confirm: address }), /It will be sent to this address/);
}

// onboard is a recipient who follows the link, gives an address and signs for it.
export async function onboard(email) {
  const link = await mailed(email, /\/recipient\?link=([1-9A-HJ-NP-Za-km-z]{44})/);
  const step = (name, more = {}) => submit('recipient', { link, step: name, ...more });
  await step('confirm');
  const page = await step('address', { asset: 'BTC', address });
  const nonce = part(page, /name="nonce" value="([^"]+)"/);
  const signature = sign(part(page, /data-testid="text">([^<]+)</));
  part(await step('sign', { nonce, signature }), /data-step="(done)"/);
}

// openBill presses the button on a bill's page and returns the invoice's id.
export async function openBill(billId) {
  const answer = await fetch(base + 'bill/pay', { method: 'POST', body: new URLSearchParams({ id: billId }), redirect: 'manual' });
  assert.equal(answer.status, 303);
  return new URL(answer.headers.get('location'), base).searchParams.get('id');
}
