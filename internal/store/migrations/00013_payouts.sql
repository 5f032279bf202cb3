-- +goose Up

CREATE TABLE payout (
  id         TEXT PRIMARY KEY,
  merchant   TEXT NOT NULL,
  api_token  TEXT NOT NULL,
  token      TEXT NOT NULL,
  grp        TEXT NOT NULL,
  recipient  TEXT NOT NULL,
  reference  TEXT NOT NULL,
  digest     TEXT NOT NULL,
  status     TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  terms      TEXT NOT NULL,
  state      TEXT NOT NULL
);
CREATE INDEX payout_newest ON payout (merchant, created_at, id);
CREATE INDEX payout_group ON payout (grp) WHERE grp <> '';
CREATE INDEX payout_new ON payout (created_at) WHERE status = 'new';
CREATE INDEX payout_recipient ON payout (recipient, status);
CREATE INDEX payout_same ON payout (merchant, digest, created_at);

-- What a signed request made: the same bytes again make nothing.
CREATE TABLE money_request (
  signature  TEXT PRIMARY KEY, -- its low-S form
  resources  TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Who may release payments out, by the hash of a key.
CREATE TABLE approver (
  key_hash   TEXT PRIMARY KEY,
  merchant   TEXT NOT NULL,
  name       TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (merchant, name)
);
