package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/quittance/quittance/internal/store/sqldb"
)

type conn struct {
	tx   pgx.Tx
	turn *turn // nil in a view
}

// Queue takes the key, or ends the operation so that it waits for the key with
// no transaction open: one that waited inside would wake up on a snapshot from
// before its turn, and lose.
func (c conn) Queue(key string) error {
	if c.turn == nil || c.turn.take(key) {
		return nil
	}
	return errQueued
}

func (c conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := c.tx.Exec(ctx, query, args...)
	if err != nil {
		return 0, classify(err)
	}
	return tag.RowsAffected(), nil
}

func (c conn) Query(ctx context.Context, query string, args ...any) (sqldb.Rows, error) {
	r, err := c.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, classify(err)
	}
	return r, nil
}

func (c conn) QueryRow(ctx context.Context, query string, args ...any) sqldb.Row {
	return row{c.tx.QueryRow(ctx, query, args...)}
}

type row struct{ r pgx.Row }

func (r row) Scan(dest ...any) error {
	err := r.r.Scan(dest...)
	if errors.Is(err, pgx.ErrNoRows) {
		return sqldb.ErrNoRows
	}
	return classify(err)
}

func classify(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23505" {
		return fmt.Errorf("%w: %w", sqldb.ErrUnique, err)
	}
	return err
}

// retryable reports that the operation lost to another one and left nothing.
func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}
