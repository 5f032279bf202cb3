-- +goose Up

CREATE TABLE refund (
  id         TEXT PRIMARY KEY,
  merchant   TEXT NOT NULL,
  invoice    TEXT NOT NULL,
  api_token  TEXT NOT NULL,
  token      TEXT NOT NULL,
  guid       TEXT NOT NULL,
  status     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  terms      TEXT NOT NULL,
  state      TEXT NOT NULL
);
CREATE UNIQUE INDEX refund_guid ON refund (merchant, guid);
CREATE INDEX refund_invoice ON refund (invoice, created_at);
CREATE INDEX refund_open ON refund (created_at) WHERE status = 'created';

-- What came in for an invoice and was applied to nothing, until it is decided.
CREATE TABLE unapplied (
  invoice  TEXT PRIMARY KEY,
  merchant TEXT NOT NULL,
  asset    TEXT NOT NULL,
  amount   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  decision TEXT NOT NULL, -- empty until somebody or the policy decided; held waits for a person
  since    BIGINT NOT NULL
);
CREATE INDEX unapplied_open ON unapplied (since) WHERE decision = '';
