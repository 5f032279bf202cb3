-- +goose Up

CREATE TABLE bill (
  id         TEXT PRIMARY KEY,
  merchant   TEXT NOT NULL,
  api_token  TEXT NOT NULL,
  token      TEXT NOT NULL,
  status     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  terms      TEXT NOT NULL,
  state      TEXT NOT NULL
);
CREATE INDEX bill_list ON bill (merchant, created_at, id);

CREATE TABLE subscription (
  id            TEXT PRIMARY KEY,
  merchant      TEXT NOT NULL,
  api_token     TEXT NOT NULL,
  token         TEXT NOT NULL,
  status        TEXT NOT NULL,
  created_at    BIGINT NOT NULL,
  next_delivery BIGINT NOT NULL,
  version       BIGINT NOT NULL,
  terms         TEXT NOT NULL,
  state         TEXT NOT NULL
);
CREATE INDEX subscription_list ON subscription (merchant, created_at, id);
CREATE INDEX subscription_due ON subscription (next_delivery, id) WHERE status = 'active';
