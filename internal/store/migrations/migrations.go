package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql sqlite/*.sql postgres/*.sql
var files embed.FS

// Dialect names the engine that the steps are applied to.
type Dialect = goose.Dialect

// The two engines.
const (
	SQLite   Dialect = goose.DialectSQLite3
	Postgres Dialect = goose.DialectPostgres
)

// Up brings the database to the program's schema. It refuses one that a newer
// program has written, because this program would not know what its rows mean.
func Up(ctx context.Context, db *sql.DB, d Dialect) error {
	list, err := steps(d)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return up(ctx, db, d, list)
}

func up(ctx context.Context, db *sql.DB, d Dialect, list fs.FS) error {
	options := []goose.ProviderOption{goose.WithVerbose(false), goose.WithLogger(goose.NopLogger())}
	if d == Postgres {
		// Several nodes may start at the same time.
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // asks each second
		if err != nil {
			return fmt.Errorf("read the migrations: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(d, db, list, options...)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the database's version: %w", err)
	}
	sources := p.ListSources()
	want := sources[len(sources)-1].Version
	if have > want {
		return fmt.Errorf("the database is at version %d and this program knows versions up to %d: start the newer program that wrote it, or restore a backup made before the upgrade", have, want)
	}
	if have == want {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("upgrade the database from version %d to %d: %w", have, want, err)
	}
	return nil
}
