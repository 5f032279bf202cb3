-- +goose Up

-- Looks back through blocks that were followed already, asked for by an operator; the
-- server works them off in small steps. next_height is the block that is read next.
CREATE TABLE rescan (
  id          TEXT PRIMARY KEY,
  chain       TEXT NOT NULL,
  from_height BIGINT NOT NULL,
  next_height BIGINT NOT NULL,
  to_height   BIGINT NOT NULL,
  state       TEXT NOT NULL,
  found       BIGINT NOT NULL,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL
);
CREATE INDEX rescan_by_chain ON rescan (chain, state, created_at);
