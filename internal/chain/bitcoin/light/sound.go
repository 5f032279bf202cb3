package light

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// soundIndex checks that the index is as long as it says. The database maps the file
// into memory without looking, and what reads behind its end kills the process.
func soundIndex(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return fmt.Errorf("%w: the index is empty", errStores)
	}
	head := make([]byte, 2*os.Getpagesize())
	if _, err := io.ReadFull(f, head); err != nil {
		return fmt.Errorf("%w: the index is too short", errStores)
	}
	var last uint64
	need := int64(-1)
	for _, page := range [][]byte{head[:len(head)/2], head[len(head)/2:]} {
		size, transaction, ok := readMeta(page[pageHeader:])
		if ok && (need < 0 || transaction > last) {
			need, last = size, transaction
		}
	}
	if need < 0 || need > info.Size() {
		return fmt.Errorf("%w: the index has %d bytes and should have %d", errStores, info.Size(), need)
	}
	return nil
}

// Layout of bbolt's two meta pages: they say where the tree begins, and how many pages
// there are.
const (
	pageHeader = 16
	metaMagic  = 0xED0CDAED
	metaSum    = 56 // bytes that the checksum covers, and where it stands
)

func readMeta(b []byte) (size int64, transaction uint64, ok bool) {
	sum := fnv.New64a()
	sum.Write(b[:metaSum])
	if binary.NativeEndian.Uint32(b) != metaMagic || sum.Sum64() != binary.NativeEndian.Uint64(b[metaSum:]) {
		return 0, 0, false
	}
	pageSize, pages := binary.NativeEndian.Uint32(b[8:]), binary.NativeEndian.Uint64(b[40:])
	return int64(pages) * int64(pageSize), binary.NativeEndian.Uint64(b[48:]), true
}

// startsFile counts starts that did not come to an orderly end or stood for a while.
const (
	startsFile = "starts"
	mostStarts = 3
)

// begun counts a start. It reports whether too many before it ended in no good way:
// then something in the stores kills the process that no check finds.
func begun(dir string) (hopeless bool, err error) {
	path := filepath.Join(dir, startsFile)
	n := 0
	if b, err := os.ReadFile(path); err == nil {
		n, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	if n >= mostStarts {
		hopeless, n = true, 0
	}
	return hopeless, os.WriteFile(path, []byte(strconv.Itoa(n+1)+"\n"), 0o600)
}

// stands notes that the present start went well.
func stands(dir string) error {
	err := os.Remove(filepath.Join(dir, startsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
