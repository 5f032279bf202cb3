-- +goose Up

-- email_key is the address as it is compared.
CREATE TABLE recipient (
  id         TEXT PRIMARY KEY,
  merchant   TEXT NOT NULL,
  api_token  TEXT NOT NULL,
  token      TEXT NOT NULL,
  email      TEXT NOT NULL,
  email_key  TEXT NOT NULL,
  shopper_id TEXT, -- NULL until the e-mail is confirmed
  status     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  state      TEXT NOT NULL
);
CREATE UNIQUE INDEX recipient_email ON recipient (merchant, email_key) WHERE status <> 'removed';
CREATE UNIQUE INDEX recipient_shopper ON recipient (merchant, shopper_id) WHERE shopper_id IS NOT NULL;
CREATE INDEX recipient_newest ON recipient (merchant, created_at, id);

-- What a guid submitted, so that the same request again is answered alike.
CREATE TABLE recipient_submission (
  merchant   TEXT NOT NULL,
  guid       TEXT NOT NULL,
  body_hash  TEXT NOT NULL,
  recipients TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (merchant, guid)
);

-- One-time links. Their text is in the mails alone.
CREATE TABLE recipient_link (
  hash       TEXT PRIMARY KEY,
  recipient  TEXT NOT NULL REFERENCES recipient (id),
  event      TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used       BIGINT NOT NULL
);
CREATE INDEX recipient_link_recipient ON recipient_link (recipient);
