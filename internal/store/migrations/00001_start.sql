-- +goose Up

-- Times are Unix milliseconds. Amounts are whole smallest units as decimal text.
-- Flags are 0 or 1.

CREATE TABLE commit_group (n BIGINT NOT NULL);
INSERT INTO commit_group (n) VALUES (0);

CREATE TABLE commit_mark (
  id         TEXT PRIMARY KEY,
  created_at BIGINT NOT NULL
);

CREATE TABLE merchant (
  id             TEXT PRIMARY KEY,
  name           TEXT NOT NULL,
  key_hash       TEXT NOT NULL UNIQUE,
  webhook_secret TEXT NOT NULL,
  settings       TEXT NOT NULL,
  created_at     BIGINT NOT NULL
);

CREATE TABLE wallet (
  id          TEXT PRIMARY KEY,
  merchant    TEXT NOT NULL REFERENCES merchant (id),
  asset       TEXT NOT NULL,
  network     TEXT NOT NULL,
  kind        TEXT NOT NULL,
  xpub        TEXT NOT NULL,
  sealed_seed TEXT NOT NULL,
  next_index  BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  UNIQUE (merchant, asset),
  UNIQUE (xpub, kind)
);

CREATE TABLE api_token (
  token           TEXT PRIMARY KEY,
  merchant        TEXT NOT NULL,
  facade          TEXT NOT NULL,
  label           TEXT NOT NULL,
  state           TEXT NOT NULL,
  require_sin     BIGINT NOT NULL,
  pairing_code    TEXT UNIQUE,
  pairing_expires BIGINT NOT NULL,
  guid            TEXT,
  created_at      BIGINT NOT NULL
);
CREATE INDEX api_token_merchant ON api_token (merchant);

CREATE TABLE token_sin (
  token TEXT NOT NULL REFERENCES api_token (token),
  sin   TEXT NOT NULL,
  PRIMARY KEY (token, sin)
);
CREATE INDEX token_sin_sin ON token_sin (sin);

CREATE TABLE session (
  id          TEXT PRIMARY KEY,
  sin         TEXT NOT NULL,
  last_number BIGINT NOT NULL,
  last_used   BIGINT NOT NULL
);

CREATE TABLE session_reply (
  session TEXT NOT NULL REFERENCES session (id),
  number  BIGINT NOT NULL,
  sin     TEXT NOT NULL,
  status  BIGINT NOT NULL,
  body    TEXT NOT NULL,
  PRIMARY KEY (session, number)
);

CREATE TABLE invoice (
  id          TEXT PRIMARY KEY,
  merchant    TEXT NOT NULL,
  api_token   TEXT NOT NULL,
  token       TEXT NOT NULL,
  guid        TEXT NOT NULL,
  status      TEXT NOT NULL,
  order_id    TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  has_credits BIGINT NOT NULL,
  version     BIGINT NOT NULL,
  terms       TEXT NOT NULL,
  state       TEXT NOT NULL
);
CREATE UNIQUE INDEX invoice_guid ON invoice (api_token, guid);
CREATE INDEX invoice_newest ON invoice (merchant, created_at, id);
CREATE INDEX invoice_order ON invoice (merchant, order_id, created_at) WHERE order_id <> '';
CREATE INDEX invoice_open ON invoice (expires_at) WHERE status = 'new';

-- Every thousandth invoice of a merchant, oldest first: a page far down a list
-- is found from the nearest mark.
CREATE TABLE invoice_mark (
  merchant   TEXT NOT NULL,
  n          BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  id         TEXT NOT NULL,
  PRIMARY KEY (merchant, n)
);

-- One row per address ever shown. destination is what the chain itself uses
-- (the output script), in hex.
CREATE TABLE address (
  chain       TEXT NOT NULL,
  destination TEXT NOT NULL,
  invoice     TEXT NOT NULL,
  asset       TEXT NOT NULL,
  wallet      TEXT NOT NULL,
  idx         BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (chain, destination),
  UNIQUE (wallet, idx)
);
CREATE INDEX address_created ON address (chain, created_at);

CREATE TABLE credit (
  chain       TEXT NOT NULL,
  txid        TEXT NOT NULL,
  vout        BIGINT NOT NULL,
  invoice     TEXT NOT NULL REFERENCES invoice (id),
  asset       TEXT NOT NULL,
  amount      TEXT NOT NULL,
  state       TEXT NOT NULL,
  first_seen  BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  block_hash  TEXT NOT NULL,
  height      BIGINT NOT NULL,
  low_fee     BIGINT NOT NULL,
  spends      TEXT NOT NULL,
  settled     BIGINT NOT NULL,
  PRIMARY KEY (chain, txid, vout)
);
CREATE INDEX credit_invoice ON credit (invoice);
CREATE INDEX credit_block ON credit (block_hash) WHERE block_hash <> '';
CREATE INDEX credit_open ON credit (chain) WHERE settled = 0;

CREATE TABLE chain_cursor (
  chain   TEXT PRIMARY KEY,
  network TEXT NOT NULL,
  genesis TEXT NOT NULL,
  height  BIGINT NOT NULL,
  hash    TEXT NOT NULL,
  at      BIGINT NOT NULL
);

CREATE TABLE chain_block (
  chain  TEXT NOT NULL,
  height BIGINT NOT NULL,
  hash   TEXT NOT NULL,
  PRIMARY KEY (chain, height)
);

CREATE TABLE event (
  id       TEXT PRIMARY KEY,
  merchant TEXT NOT NULL,
  kind     TEXT NOT NULL,
  resource TEXT NOT NULL,
  seq      BIGINT NOT NULL,
  code     BIGINT NOT NULL,
  name     TEXT NOT NULL,
  status   TEXT NOT NULL,
  detail   TEXT NOT NULL,
  at       BIGINT NOT NULL,
  UNIQUE (resource, seq)
);

-- A lane is the ordered queue of one endpoint.
CREATE TABLE lane (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL,
  endpoint    TEXT NOT NULL,
  merchant    TEXT NOT NULL,
  last_ord    BIGINT NOT NULL,
  waiting     BIGINT NOT NULL,
  run_at      BIGINT NOT NULL,
  lease_owner TEXT NOT NULL,
  lease_until BIGINT NOT NULL
);
CREATE INDEX lane_due ON lane (run_at) WHERE waiting > 0;

CREATE TABLE delivery (
  id         TEXT PRIMARY KEY,
  lane       TEXT NOT NULL REFERENCES lane (id),
  ord        BIGINT NOT NULL,
  event      TEXT NOT NULL,
  resource   TEXT NOT NULL,
  state      TEXT NOT NULL,
  attempts   BIGINT NOT NULL,
  round      BIGINT NOT NULL,
  aside      BIGINT NOT NULL,
  run_at     BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (lane, ord)
);
CREATE INDEX delivery_waiting ON delivery (lane, ord) WHERE state = 'waiting';
CREATE INDEX delivery_aside ON delivery (lane, resource, ord) WHERE state = 'waiting' AND aside = 1;
CREATE INDEX delivery_event ON delivery (event);
CREATE INDEX delivery_resource ON delivery (resource);

CREATE TABLE attempt (
  delivery    TEXT NOT NULL REFERENCES delivery (id),
  n           BIGINT NOT NULL,
  at          BIGINT NOT NULL,
  duration_ms BIGINT NOT NULL,
  status      BIGINT NOT NULL,
  answer      TEXT NOT NULL,
  error       TEXT NOT NULL,
  PRIMARY KEY (delivery, n)
);

-- Mails of the sandbox, kept instead of sent.
CREATE TABLE sandbox_mail (
  id        TEXT PRIMARY KEY,
  sent_at   BIGINT NOT NULL,
  recipient TEXT NOT NULL,
  subject   TEXT NOT NULL,
  body_text TEXT NOT NULL,
  body_html TEXT NOT NULL
);
