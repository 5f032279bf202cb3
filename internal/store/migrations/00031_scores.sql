-- +goose Up

-- How sure a payment was when it was seen waiting, and what spoke against it (a JSON
-- list of sentences). Those from before were trusted.
ALTER TABLE credit ADD COLUMN score BIGINT NOT NULL DEFAULT 100;
ALTER TABLE credit ADD COLUMN doubts TEXT NOT NULL DEFAULT 'null';
