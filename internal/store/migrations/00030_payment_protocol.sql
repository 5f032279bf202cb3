-- +goose Up

-- Payments that wallets handed over (JSON payment protocol): stored before they are
-- sent, so that one which a crash kept back is sent all the same. raw is emptied once
-- the network has it. An invoice takes one at a time.
CREATE TABLE posted_payment (
  chain     TEXT   NOT NULL,
  txid      TEXT   NOT NULL,
  invoice   TEXT   NOT NULL,
  raw       TEXT   NOT NULL,
  state     TEXT   NOT NULL, -- kept, sent or refused
  posted_at BIGINT NOT NULL,
  PRIMARY KEY (chain, txid, invoice)
);
CREATE UNIQUE INDEX posted_payment_taken ON posted_payment (invoice) WHERE state <> 'refused';
CREATE INDEX posted_payment_kept ON posted_payment (posted_at) WHERE state = 'kept';

-- The public halves of the keys that sign answers to wallets. Each server has its own
-- private ones beside the database; all of them publish all of these.
CREATE TABLE signing_key (
  identity   TEXT   PRIMARY KEY,
  public     TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  signs_from BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  retired_at BIGINT NOT NULL -- 0: it is published
);
