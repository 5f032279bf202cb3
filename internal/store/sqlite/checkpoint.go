package sqlite

import (
	"context"
	"time"
)

// Copying the write-ahead log back into the file costs as much as many commits.
// It is done beside the writer, which never waits for it unless the log grows
// beyond all measure.
const (
	checkpointEvery = 250 * time.Millisecond
	mostFrames      = 16384 // 64 MiB of log: from here on the writer waits once
)

// keep copies the log while there is something to copy.
func (e *Engine) keep(ctx context.Context) {
	defer close(e.kept)
	t := time.NewTicker(checkpointEvery)
	defer t.Stop()
	seen := int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		n := e.groups.Load()
		if n == seen {
			continue
		}
		seen = n
		var busy, frames, copied int64
		// A failure is tried again at the next tick; the log holds everything.
		err := e.keeper.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &frames, &copied)
		if err == nil && frames > mostFrames {
			e.restart.Store(true)
		}
	}
}

// restartLog lets the writer wait until the whole log is copied, so that it
// begins at its start again.
func (e *Engine) restartLog() {
	if !e.restart.Swap(false) {
		return
	}
	var busy, frames, copied int64
	_ = e.writer.QueryRow(context.Background(), `PRAGMA wal_checkpoint(RESTART)`).Scan(&busy, &frames, &copied)
}
