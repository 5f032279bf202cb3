-- +goose Up

CREATE TABLE settlement (
  id         TEXT PRIMARY KEY,
  merchant   TEXT NOT NULL,
  token      TEXT NOT NULL,
  currency   TEXT NOT NULL,
  status     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  from_n     BIGINT NOT NULL,
  to_n       BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  terms      TEXT NOT NULL,
  state      TEXT NOT NULL
);
-- Two processes cannot close one period twice.
CREATE UNIQUE INDEX settlement_period ON settlement (merchant, currency, from_n);
CREATE INDEX settlement_newest ON settlement (merchant, created_at, id);
