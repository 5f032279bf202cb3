-- +goose Up

-- The balance is kept beside the postings it is the sum of.
CREATE TABLE ledger_account (
  id       TEXT PRIMARY KEY, -- merchant/name/asset
  merchant TEXT NOT NULL,
  name     TEXT NOT NULL,
  asset    TEXT NOT NULL,
  balance  TEXT NOT NULL,
  postings BIGINT NOT NULL
);
CREATE INDEX ledger_account_merchant ON ledger_account (merchant);

-- The last entry of each merchant's chain.
CREATE TABLE ledger_head (
  merchant TEXT PRIMARY KEY,
  n        BIGINT NOT NULL,
  hash     TEXT NOT NULL
);

-- Entries and postings are never changed; see 00003_ledger_guard.
CREATE TABLE ledger_entry (
  merchant TEXT NOT NULL,
  n        BIGINT NOT NULL,
  id       TEXT NOT NULL UNIQUE,
  kind     TEXT NOT NULL,
  key      TEXT NOT NULL UNIQUE,
  reverses TEXT, -- NULL unless it takes an entry back
  at       BIGINT NOT NULL,
  refs     TEXT NOT NULL,
  prev     TEXT NOT NULL,
  hash     TEXT NOT NULL,
  PRIMARY KEY (merchant, n)
);
CREATE UNIQUE INDEX ledger_entry_reverses ON ledger_entry (reverses) WHERE reverses IS NOT NULL;

-- balance is the account's after the posting.
CREATE TABLE ledger_posting (
  merchant TEXT NOT NULL,
  n        BIGINT NOT NULL,
  i        BIGINT NOT NULL,
  account  TEXT NOT NULL,
  asset    TEXT NOT NULL,
  amount   TEXT NOT NULL,
  balance  TEXT NOT NULL,
  code     BIGINT NOT NULL,
  text     TEXT NOT NULL,
  at       BIGINT NOT NULL,
  PRIMARY KEY (merchant, n, i)
);
CREATE INDEX ledger_posting_line ON ledger_posting (merchant, asset, at) WHERE code <> 0;
