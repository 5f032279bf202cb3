-- +goose Up

-- The journals of what was shown and signed that belong to this database. Each
-- server keeps one beside it, so that a database put back from an older copy is
-- found out; see app/journal.go.
CREATE TABLE journal (
  id         TEXT PRIMARY KEY,
  created_at BIGINT NOT NULL
);
