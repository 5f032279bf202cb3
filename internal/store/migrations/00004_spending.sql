-- +goose Up

-- A payment is in the ledger while entry is not empty; bookings counts how often
-- it was, because a reorganisation takes it out again.
ALTER TABLE credit ADD COLUMN entry TEXT NOT NULL DEFAULT '';
ALTER TABLE credit ADD COLUMN bookings BIGINT NOT NULL DEFAULT 0;

-- The first index for change never handed out.
ALTER TABLE wallet ADD COLUMN next_change BIGINT NOT NULL DEFAULT 0;

-- Where the rest of a payment out returns to. Indices count apart from those of
-- the addresses that payers see.
CREATE TABLE change_address (
  chain       TEXT NOT NULL,
  destination TEXT NOT NULL,
  wallet      TEXT NOT NULL,
  idx         BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (chain, destination),
  UNIQUE (wallet, idx)
);
CREATE INDEX change_address_created ON change_address (chain, created_at);

-- Every output that ever belonged to a wallet. spent_by is the transaction that
-- spends it, waiting or mined; transfer is the payment out it is reserved for;
-- booked_in and booked_out say that the ledger has counted it into the wallet and
-- out of it; entry_in and entry_out are the entries that did, where they are the
-- coin's own, and bookings counts them.
CREATE TABLE coin (
  chain        TEXT NOT NULL,
  txid         TEXT NOT NULL,
  vout         BIGINT NOT NULL,
  merchant     TEXT NOT NULL,
  wallet       TEXT NOT NULL,
  asset        TEXT NOT NULL,
  amount       TEXT NOT NULL,
  destination  TEXT NOT NULL,
  change       BIGINT NOT NULL,
  idx          BIGINT NOT NULL,
  invoice      TEXT NOT NULL,
  state        TEXT NOT NULL,
  block_hash   TEXT NOT NULL,
  height       BIGINT NOT NULL,
  spent_by     TEXT NOT NULL,
  spent_hash   TEXT NOT NULL,
  spent_height BIGINT NOT NULL,
  transfer     TEXT NOT NULL,
  booked_in    BIGINT NOT NULL,
  booked_out   BIGINT NOT NULL,
  entry_in     TEXT NOT NULL,
  entry_out    TEXT NOT NULL,
  bookings     BIGINT NOT NULL,
  settled      BIGINT NOT NULL,
  created_at   BIGINT NOT NULL,
  PRIMARY KEY (chain, txid, vout)
);
CREATE INDEX coin_free ON coin (wallet) WHERE spent_by = '' AND transfer = '' AND booked_in = 1 AND booked_out = 0;
CREATE INDEX coin_booked ON coin (wallet) WHERE booked_in <> booked_out;
CREATE INDEX coin_block ON coin (block_hash) WHERE block_hash <> '';
CREATE INDEX coin_spent_block ON coin (spent_hash) WHERE spent_hash <> '';
CREATE INDEX coin_spent_by ON coin (chain, spent_by) WHERE spent_by <> '';
CREATE INDEX coin_open ON coin (chain) WHERE settled = 0;
CREATE INDEX coin_transfer ON coin (transfer) WHERE transfer <> '';

-- A payment that has to leave. asset amounts are empty until the rate is fixed.
CREATE TABLE spend_order (
  id         TEXT PRIMARY KEY,
  merchant   TEXT NOT NULL,
  wallet     TEXT NOT NULL,
  asset      TEXT NOT NULL,
  chain      TEXT NOT NULL,
  kind       TEXT NOT NULL,
  resource   TEXT NOT NULL,
  state      TEXT NOT NULL,
  transfer   TEXT NOT NULL,
  not_until  BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  body       TEXT NOT NULL
);
CREATE INDEX spend_order_queue ON spend_order (wallet, created_at) WHERE state = 'queued';
CREATE INDEX spend_order_resource ON spend_order (resource);
CREATE INDEX spend_order_transfer ON spend_order (transfer) WHERE transfer <> '';

CREATE TABLE transfer (
  id         TEXT PRIMARY KEY,
  merchant   TEXT NOT NULL,
  wallet     TEXT NOT NULL,
  asset      TEXT NOT NULL,
  chain      TEXT NOT NULL,
  state      TEXT NOT NULL,
  settled    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  body       TEXT NOT NULL
);
CREATE INDEX transfer_open ON transfer (chain) WHERE settled = 0;
CREATE INDEX transfer_wallet ON transfer (wallet, created_at);

-- The transaction ids of signed attempts, each at one transfer.
CREATE TABLE transfer_txid (
  chain    TEXT NOT NULL,
  txid     TEXT NOT NULL,
  transfer TEXT NOT NULL,
  PRIMARY KEY (chain, txid)
);

-- Who does what only one may do at a time. token grows with each new owner: what
-- an earlier owner still writes under its old token is refused.
CREATE TABLE lease (
  name  TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  token BIGINT NOT NULL,
  until BIGINT NOT NULL
);

-- While there is a row, no money leaves.
CREATE TABLE outgoing_lock (
  reason TEXT PRIMARY KEY,
  detail TEXT NOT NULL,
  at     BIGINT NOT NULL
);
