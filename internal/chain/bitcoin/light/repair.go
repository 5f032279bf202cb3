package light

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
	"github.com/btcsuite/btcwallet/walletdb"
	_ "github.com/btcsuite/btcwallet/walletdb/bdb" // the kind of database that the library keeps its index in
	"github.com/lightninglabs/neutrino/headerfs"
)

// The library's files.
const (
	indexFile   = "neutrino.db"
	headersFile = "block_headers.bin"
	filtersFile = "reg_filter_headers.bin"
)

// Names in the index: its bucket, and the keys of where each store ends.
var (
	indexBucket = []byte("header-index")
	headersTip  = []byte("bitcoin")
	filtersTip  = []byte("regular")
	prefixBytes = 2 // of a hash, which name the bucket that it is in
)

// checkDepth is how many headers below the tip are held against the index: all that
// a crash can have touched.
const checkDepth = 5000

// errStores means that the stores contradict themselves in a way that cannot be put
// right: they are made anew.
var errStores = errors.New("the header stores contradict themselves")

// openStores opens the library's database once both header stores agree with it.
// What a crash left half written is cut off; stores that cannot be put right are
// removed, and the headers are fetched again. mended says what was done, "" nothing.
func openStores(dir string) (db walletdb.DB, mended string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, "", err
	}
	hopeless, err := begun(dir)
	if err != nil {
		return nil, "", err
	}
	if hopeless {
		err = fmt.Errorf("%w: the last %d starts ended within minutes", errStores, mostStarts)
	} else {
		db, err = openIndex(dir)
	}
	if err == nil {
		if mended, err = mend(db, dir); err == nil {
			return db, mended, nil
		}
		_ = db.Close()
	}
	if errors.Is(err, errLocked) {
		return nil, "", err
	}
	why := err
	for _, name := range []string{indexFile, headersFile, filtersFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, "", fmt.Errorf("light: remove a damaged store: %w", err)
		}
	}
	db, err = openIndex(dir)
	return db, fmt.Sprintf("the headers are fetched anew: %v", why), err
}

// errLocked means that another process has the stores.
var errLocked = errors.New("light: another process follows the chain from this folder")

const lockWait = 5 * time.Second

func openIndex(dir string) (walletdb.DB, error) {
	path := filepath.Join(dir, indexFile)
	if err := soundIndex(path); err != nil {
		return nil, err
	}
	open := walletdb.Open
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		open = walletdb.Create
	}
	db, err := recovered(func() (walletdb.DB, error) { return open("bdb", path, true, lockWait) })
	if err != nil && err.Error() == "timeout" {
		return nil, errLocked
	}
	return db, err
}

// recovered is what f returns; a panic in it, by which the database answers to a
// file that is cut short, is an error.
func recovered[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errStores, p)
		}
	}()
	return f()
}

// mend makes both files as long as the index says.
func mend(db walletdb.DB, dir string) (string, error) {
	return recovered(func() (string, error) {
		headers, size, err := openFile(dir, headersFile, headerfs.BlockHeaderSize)
		if err != nil {
			return "", err
		}
		defer headers.Close()
		filters, filterSize, err := openFile(dir, filtersFile, headerfs.RegularFilterHeaderSize)
		if err != nil {
			return "", err
		}
		defer filters.Close()
		if size == 0 && filterSize == 0 {
			return "", empty(db)
		}
		var mended string
		err = walletdb.Update(db, func(tx walletdb.ReadWriteTx) error {
			root := tx.ReadWriteBucket(indexBucket)
			if root == nil {
				return fmt.Errorf("%w: there are headers and no index of them", errStores)
			}
			tip, err := mendHeaders(root, headers, size)
			if err != nil {
				return err
			}
			mended, err = mendFilters(root, headers, filters, filterSize, tip)
			return err
		})
		return mended, err
	})
}

// empty makes sure that an index without files knows of none either.
func empty(db walletdb.DB) error {
	return walletdb.View(db, func(tx walletdb.ReadTx) error {
		if root := tx.ReadBucket(indexBucket); root != nil && root.Get(headersTip) != nil {
			return fmt.Errorf("%w: the files of the headers are gone", errStores)
		}
		return nil
	})
}

func openFile(dir, name string, width int64) (f *os.File, entries int64, err error) {
	f, err = os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size() / width, nil
}

// mendHeaders cuts off headers that the index does not have yet, and checks that
// those before are the ones in the index. It returns the height of the last.
func mendHeaders(root walletdb.ReadWriteBucket, f *os.File, size int64) (int64, error) {
	want := root.Get(headersTip)
	tip, ok := heightOf(root, want)
	if !ok || tip >= size {
		return 0, fmt.Errorf("%w: the index ends at height %d and the file of the block headers at %d", errStores, tip, size-1)
	}
	if err := f.Truncate((tip + 1) * headerfs.BlockHeaderSize); err != nil {
		return 0, err
	}
	from := max(0, tip-checkDepth)
	list, err := readHeaders(f, from, tip)
	if err != nil {
		return 0, err
	}
	for i := len(list) - 1; i >= 0; i-- {
		hash := list[i].BlockHash()
		height, ok := heightOf(root, hash[:])
		if !ok || height != from+int64(i) || !bytes.Equal(hash[:], want) {
			return 0, fmt.Errorf("%w: block header %d is not the one in the index", errStores, from+int64(i))
		}
		want = list[i].PrevBlock[:]
	}
	return tip, nil
}

func readHeaders(f *os.File, from, to int64) ([]wire.BlockHeader, error) {
	raw := make([]byte, (to-from+1)*headerfs.BlockHeaderSize)
	if _, err := f.ReadAt(raw, from*headerfs.BlockHeaderSize); err != nil {
		return nil, err
	}
	list := make([]wire.BlockHeader, to-from+1)
	r := bytes.NewReader(raw)
	for i := range list {
		if err := list[i].Deserialize(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// mendFilters cuts the filter headers off where they and the index do not agree any
// more: what is missing is fetched again. Nothing says which block each one belongs
// to but its place, so after a disagreement a few more are given up than need be.
func mendFilters(root walletdb.ReadWriteBucket, headers, f *os.File, size, tip int64) (string, error) {
	at, known := heightOf(root, root.Get(filtersTip))
	if known && at < size && at <= tip {
		return "", f.Truncate((at + 1) * headerfs.RegularFilterHeaderSize)
	}
	if size == 0 {
		return "all filter headers are fetched anew", nil
	}
	keep := max(0, min(size-1, tip)-checkDepth)
	last, err := readHeaders(headers, keep, keep)
	if err != nil {
		return "", err
	}
	if err := f.Truncate((keep + 1) * headerfs.RegularFilterHeaderSize); err != nil {
		return "", err
	}
	hash := last[0].BlockHash()
	return fmt.Sprintf("filter headers above height %d are fetched again", keep), root.Put(filtersTip, hash[:])
}

// heightOf looks a block hash up in the index.
func heightOf(root walletdb.ReadBucket, hash []byte) (int64, bool) {
	if len(hash) != chainhash.HashSize {
		return 0, false
	}
	b := root.NestedReadBucket(hash[:prefixBytes])
	if b == nil {
		return 0, false
	}
	v := b.Get(hash)
	if len(v) != 4 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint32(v)), true
}

// forgetFilters lets the library fetch all filter headers again, and connect to
// everybody: the stored ones were another chain's or a liar's, and whoever told
// better was banned.
func forgetFilters(dir string) error {
	db, err := openIndex(dir)
	if err != nil {
		return err
	}
	defer db.Close()
	err = walletdb.Update(db, func(tx walletdb.ReadWriteTx) error {
		if err := tx.DeleteTopLevelBucket([]byte("ban-store")); err != nil && !errors.Is(err, walletdb.ErrBucketNotFound) {
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	return os.Remove(filepath.Join(dir, filtersFile))
}
