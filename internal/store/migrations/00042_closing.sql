-- +goose Up

-- When an unpaid invoice is over: when its window closes, and later where payments are
-- seen in blocks only.
ALTER TABLE invoice ADD COLUMN closes_at BIGINT NOT NULL DEFAULT 0;
UPDATE invoice SET closes_at = expires_at;
DROP INDEX invoice_open;
CREATE INDEX invoice_open ON invoice (closes_at) WHERE status = 'new';
