-- +goose Up

-- Where the account key comes from, "[fingerprint/84h/0h/0h]" (BIP 380); empty: it is
-- not known. Nothing was paid to the wallet before its birthday: a block's height, and
-- a time in ms; 0 for what is not known.
ALTER TABLE wallet ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE wallet ADD COLUMN birth_height BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wallet ADD COLUMN birth_at BIGINT NOT NULL DEFAULT 0;

-- What an operator calls a coin.
CREATE TABLE coin_label (
  chain       TEXT   NOT NULL,
  txid        TEXT   NOT NULL,
  vout        BIGINT NOT NULL,
  label       TEXT   NOT NULL,
  labelled_at BIGINT NOT NULL,
  PRIMARY KEY (chain, txid, vout)
);

-- Transactions that empty an old wallet into one of ours. They are stored, signed,
-- before they are sent, and sent again until the chain has them; the keys never are.
CREATE TABLE sweep (
  chain      TEXT   NOT NULL,
  txid       TEXT   NOT NULL,
  merchant   TEXT   NOT NULL,
  wallet     TEXT   NOT NULL,
  address    TEXT   NOT NULL,
  amount     TEXT   NOT NULL,
  fee        TEXT   NOT NULL,
  inputs     BIGINT NOT NULL,
  raw        TEXT   NOT NULL,
  state      TEXT   NOT NULL, -- kept, sent, mined or refused
  problem    TEXT   NOT NULL,
  tried_at   BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (chain, txid)
);
CREATE INDEX sweep_open ON sweep (created_at) WHERE state IN ('kept', 'sent');
