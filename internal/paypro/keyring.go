package paypro

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/quittance/quittance/internal/app"
	"github.com/quittance/quittance/internal/jsonl"
	"github.com/quittance/quittance/internal/store"
)

// How long keys are good for, and how long before the end the next one is published
// and begins to sign.
const (
	keyLife    = 400 * 24 * time.Hour
	keyPublish = 60 * 24 * time.Hour
	keyHandOff = 30 * 24 * time.Hour
	rowsHold   = 10 * time.Second // a key retired by a command signs no longer than that
)

// Keyring holds the keys that this server signs answers to wallets with. All its
// methods are safe for concurrent use.
type Keyring struct {
	File    string // in the data folder, readable by the server alone
	App     *app.App
	Network string // main, or any other
	Now     func() time.Time
	Rand    io.Reader

	adding  sync.Mutex // held while a key is made because there is none
	mu      sync.Mutex
	rows    []store.SigningKey               // guarded by mu
	readAt  time.Time                        // guarded by mu
	private map[string]*secp256k1.PrivateKey // by identity; guarded by mu
}

// keptKey is a line of the file.
type keptKey struct {
	Identity string    `json:"identity"`
	Private  string    `json:"private"` // hex
	Created  time.Time `json:"created"`
}

// Keep makes the first key where there is none, and the next one in time; and it
// publishes what the folder has and the database does not. It is called at the start
// and now and then.
func (k *Keyring) Keep(ctx context.Context) error {
	kept, err := jsonl.Read[keptKey](k.File)
	if err != nil {
		return fmt.Errorf("the keys of the payment protocol: %w", err)
	}
	for _, p := range kept {
		key, err := readKey(p.Private)
		if err != nil {
			return fmt.Errorf("the key %s of the payment protocol: %w", p.Identity, err)
		}
		if err := k.App.PublishSigningKey(ctx, k.row(key, p.Created, p.Created)); err != nil {
			return err
		}
	}
	now := k.now()
	last, ok, err := k.newest(ctx, time.Time{})
	switch {
	case err != nil:
		return err
	case !ok || !now.Before(last.Expires):
		_, err = k.Add(ctx, now)
	case now.After(last.Expires.Add(-keyPublish)):
		_, err = k.Add(ctx, last.Expires.Add(-keyHandOff))
	}
	return err
}

// Add makes a key that signs from a time on. It is published at once, so that wallets
// can learn of it before.
func (k *Keyring) Add(ctx context.Context, from time.Time) (store.SigningKey, error) {
	key, err := secp256k1.GeneratePrivateKeyFromRand(k.Rand)
	if err != nil {
		return store.SigningKey{}, err
	}
	row := k.row(key, k.now(), from)
	f, err := jsonl.Open[keptKey](k.File)
	if err != nil {
		return row, err
	}
	// The secret is on the disk before anybody trusts the key.
	err = f.Append(keptKey{Identity: row.Identity, Private: hex.EncodeToString(key.Serialize()), Created: row.Created})
	if err = errors.Join(err, f.Close()); err != nil {
		return row, err
	}
	err = k.App.PublishSigningKey(ctx, row)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.readAt = time.Time{}
	return row, err
}

func (k *Keyring) row(key *secp256k1.PrivateKey, created, from time.Time) store.SigningKey {
	public := key.PubKey().SerializeCompressed()
	version := byte(0x6f)
	if k.Network == "main" {
		version = 0
	}
	end := created
	if from.After(end) {
		end = from
	}
	return store.SigningKey{
		Identity: base58.CheckEncode(btcutil.Hash160(public), version), Public: hex.EncodeToString(public),
		Created: created, From: from, Expires: end.Add(keyLife),
	}
}

func readKey(text string) (*secp256k1.PrivateKey, error) {
	b, err := hex.DecodeString(text)
	var n secp256k1.ModNScalar
	if err != nil || len(b) != 32 || n.SetByteSlice(b) || n.IsZero() {
		return nil, errors.New("it is damaged")
	}
	return secp256k1.NewPrivateKey(&n), nil
}

func (k *Keyring) now() time.Time { return k.Now().UTC().Truncate(time.Millisecond) }

// read reads the published keys, and the secrets of this server, unless that was a
// moment ago.
func (k *Keyring) read(ctx context.Context) ([]store.SigningKey, map[string]*secp256k1.PrivateKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if age := now.Sub(k.readAt); k.private != nil && age >= 0 && age < rowsHold {
		return k.rows, k.private, nil
	}
	rows, err := k.App.SigningKeys(ctx)
	if err != nil {
		return nil, nil, err
	}
	kept, err := jsonl.Read[keptKey](k.File)
	if err != nil {
		return nil, nil, err
	}
	private := map[string]*secp256k1.PrivateKey{}
	for _, p := range kept {
		if private[p.Identity], err = readKey(p.Private); err != nil {
			return nil, nil, fmt.Errorf("the key %s of the payment protocol: %w", p.Identity, err)
		}
	}
	k.rows, k.private, k.readAt = rows, private, now
	return rows, private, nil
}

// newest is the key of this server that began to sign last, as of a time; a zero time
// is the one that will.
func (k *Keyring) newest(ctx context.Context, at time.Time) (last store.SigningKey, ok bool, err error) {
	rows, private, err := k.read(ctx)
	for _, r := range rows {
		usable := private[r.Identity] != nil && r.Retired.IsZero() && (at.IsZero() || !r.From.After(at) && at.Before(r.Expires))
		if usable && (!ok || !r.From.Before(last.From)) {
			last, ok = r, true
		}
	}
	return last, ok, err
}

// current is the key that signs now. There is none only if all were retired.
func (k *Keyring) current(ctx context.Context) (store.SigningKey, error) {
	row, ok, err := k.newest(ctx, k.now())
	if ok || err != nil {
		return row, err
	}
	k.adding.Lock()
	defer k.adding.Unlock()
	if row, ok, err = k.newest(ctx, k.now()); ok || err != nil {
		return row, err
	}
	return k.Add(ctx, k.now())
}

// Published lists the keys that wallets may trust, oldest first.
func (k *Keyring) Published(ctx context.Context) (list []store.SigningKey, err error) {
	rows, _, err := k.read(ctx)
	now := k.now()
	for _, r := range rows {
		if r.Retired.IsZero() && now.Before(r.Expires) {
			list = append(list, r)
		}
	}
	return list, err
}

// Sign signs a digest: 64 bytes in hex, R and a low S (deterministic, RFC 6979).
func (k *Keyring) Sign(ctx context.Context, digest []byte) (identity, signature string, err error) {
	row, err := k.current(ctx)
	if err != nil {
		return "", "", err
	}
	_, private, err := k.read(ctx)
	if err != nil {
		return "", "", err
	}
	key := private[row.Identity]
	if key == nil {
		return "", "", fmt.Errorf("the key %s of the payment protocol is not in %s", row.Identity, k.File)
	}
	s := ecdsa.Sign(key, digest)
	r, low := s.R(), s.S()
	rb, sb := r.Bytes(), low.Bytes()
	return row.Identity, hex.EncodeToString(append(rb[:], sb[:]...)), nil
}
