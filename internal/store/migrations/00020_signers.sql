-- +goose Up

-- Where the process answers that has the wallet's seed; empty: none has.
ALTER TABLE wallet ADD COLUMN signer TEXT NOT NULL DEFAULT '';
