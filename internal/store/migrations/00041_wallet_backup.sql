-- +goose Up

-- Wallets whose words somebody has typed once more, so that they are written down.
CREATE TABLE wallet_backup (
  wallet       TEXT   PRIMARY KEY,
  confirmed_at BIGINT NOT NULL
);
