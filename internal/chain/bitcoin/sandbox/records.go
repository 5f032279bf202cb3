package sandbox

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
)

// records is a file of length-prefixed, checksummed records. A write that a
// crash cut short ends the file for the reader, so every record is there wholly
// or not at all.
type records struct{ f *os.File }

const recordHead = 8 // length and CRC-32C, big endian

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openRecords opens or makes the file, returns the records in it and cuts off
// a torn end.
func openRecords(path string) (*records, [][]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, nil, fmt.Errorf("sandbox: %w", err)
	}
	list, size := splitRecords(data)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := f.Truncate(int64(size)); err != nil {
		return nil, nil, fmt.Errorf("sandbox: %w", err)
	}
	return &records{f}, list, nil
}

func splitRecords(data []byte) (list [][]byte, size int) {
	for len(data)-size >= recordHead {
		head := data[size:]
		n := int(binary.BigEndian.Uint32(head))
		if n > len(head)-recordHead {
			break
		}
		body := head[recordHead : recordHead+n]
		if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
			break
		}
		list = append(list, body)
		size += recordHead + n
	}
	return list, size
}

func appendRecord(buf, body []byte) []byte {
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(body)))
	buf = binary.BigEndian.AppendUint32(buf, crc32.Checksum(body, castagnoli))
	return append(buf, body...)
}

// add appends records in one write.
func (r *records) add(bodies ...[]byte) error {
	var buf []byte
	for _, body := range bodies {
		buf = appendRecord(buf, body)
	}
	if len(buf) == 0 {
		return nil
	}
	if _, err := r.f.Write(buf); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// replace puts a file with exactly these records in the old one's place.
func (r *records) replace(bodies [][]byte) error {
	var buf []byte
	for _, body := range bodies {
		buf = appendRecord(buf, body)
	}
	path := r.f.Name()
	if err := writeFile(path, buf); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	_ = r.f.Close()
	r.f = f
	return nil
}

// writeFile replaces a file so that a crash leaves the old or the new one.
func writeFile(path string, data []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}
