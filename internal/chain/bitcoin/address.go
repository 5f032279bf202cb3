package bitcoin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
)

// maxAddress bounds what is parsed at all; BIP 173 allows 90 characters and
// addresses of other forms are shorter.
const maxAddress = 90

// OtherNetwork says that an address is good, but of another network.
type OtherNetwork struct{ Address, Is, Wanted string }

func (e *OtherNetwork) Error() string {
	return fmt.Sprintf("bitcoin: address %s belongs to network %s, not to %s", e.Address, e.Is, e.Wanted)
}

// AddressScript gives the output script of an address: P2PKH, P2SH, or any
// witness version (BIP 173, BIP 350) where the chain has them. An address of
// another network is refused with an error that names that network; so is a
// spelling that another chain of the family uses too, with the one to write.
func AddressScript(addr string, c *Chain) ([]byte, error) {
	script, err := decodeAddress(addr, c)
	if err == nil {
		return script, nil
	}
	for _, other := range c.siblings() {
		if _, elsewhere := decodeAddress(addr, other); elsewhere == nil {
			return nil, &OtherNetwork{Address: addr, Is: other.where(), Wanted: c.where()}
		}
	}
	return nil, fmt.Errorf("bitcoin: %q is not an address: %w", shorten(addr), err)
}

// ScriptAddress gives the address of an output script, and false when the
// script has none (a bare public key, OP_RETURN, bare multisignature).
func ScriptAddress(script []byte, c *Chain) (string, bool) {
	if version, program, ok := witnessProgram(script); ok && c.Params.Bech32HRPSegwit != "" {
		addr, err := segwitAddress(c.Params, version, program)
		return addr, err == nil
	}
	switch {
	case txscript.IsPayToPubKeyHash(script):
		return c.hashAddress(cashKey, c.Params.PubKeyHashAddrID, script[3:23])
	case txscript.IsPayToScriptHash(script):
		return c.hashAddress(cashScript, c.Params.ScriptHashAddrID, script[2:22])
	}
	return "", false
}

func (c *Chain) hashAddress(cash, version byte, hash []byte) (string, bool) {
	if c.CashPrefix == "" {
		return base58.CheckEncode(hash, version), true
	}
	addr, err := encodeCash(c.CashPrefix, cash, hash)
	return addr, err == nil
}

func decodeAddress(addr string, c *Chain) ([]byte, error) {
	if len(addr) > maxAddress {
		return nil, fmt.Errorf("longer than %d characters", maxAddress)
	}
	params := c.Params
	if sep := strings.LastIndexByte(addr, '1'); sep > 0 && params.Bech32HRPSegwit != "" && strings.EqualFold(addr[:sep], params.Bech32HRPSegwit) {
		return decodeSegwit(addr, params.Bech32HRPSegwit)
	}
	hash, id, err := base58.CheckDecode(addr)
	if err != nil && c.CashPrefix != "" {
		return decodeCash(addr, c.CashPrefix)
	}
	if err != nil {
		return nil, err
	}
	if len(hash) != 20 {
		return nil, fmt.Errorf("the hash has %d bytes, not 20", len(hash))
	}
	script, kind := keyHashScript(hash), byte(cashKey)
	switch {
	case id == params.PubKeyHashAddrID:
	case id == params.ScriptHashAddrID || c.bitcoinScript(id):
		script, kind = scriptHashScript(hash), cashScript
	default:
		return nil, fmt.Errorf("address type %d does not exist on this network", id)
	}
	if c.CashPrefix != "" || id != params.PubKeyHashAddrID && id != params.ScriptHashAddrID {
		own, _ := c.hashAddress(kind, params.ScriptHashAddrID, hash)
		return nil, fmt.Errorf("it is spelled as a Bitcoin address; if it is meant for %s, write %s", c.Name, own)
	}
	return script, nil
}

// bitcoinScript reports a P2SH version that Litecoin took over from Bitcoin at
// first: its addresses cannot be told from Bitcoin's.
func (c *Chain) bitcoinScript(id byte) bool {
	return c.Code == "LTC" && (c.Network == "main" && id == 5 || c.Network != "main" && id == 196)
}

// decodeSegwit follows the decoding rules of BIP 173 as amended by BIP 350.
func decodeSegwit(addr, hrp string) ([]byte, error) {
	found, data, encoding, err := bech32.DecodeGeneric(addr)
	if err != nil {
		return nil, err
	}
	if found != hrp || len(data) == 0 {
		return nil, errors.New("no witness version")
	}
	version := data[0]
	if version > 16 {
		return nil, fmt.Errorf("witness version %d does not exist", version)
	}
	if (version == 0) != (encoding == bech32.Version0) {
		return nil, errors.New("wrong checksum variant for its witness version (BIP 350)")
	}
	program, err := bech32.ConvertBits(data[1:], 5, 8, false)
	if err != nil {
		return nil, err
	}
	if !validProgram(version, program) {
		return nil, fmt.Errorf("witness version %d has no program of %d bytes", version, len(program))
	}
	return witnessScript(version, program), nil
}

func segwitAddress(params *chaincfg.Params, version byte, program []byte) (string, error) {
	data, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		return "", err
	}
	data = slices.Insert(data, 0, version)
	if version == 0 {
		return bech32.Encode(params.Bech32HRPSegwit, data)
	}
	return bech32.EncodeM(params.Bech32HRPSegwit, data)
}

// validProgram holds the length rules of BIP 141.
func validProgram(version byte, program []byte) bool {
	if version == 0 {
		return len(program) == 20 || len(program) == 32
	}
	return version <= 16 && len(program) >= 2 && len(program) <= 40
}

func witnessScript(version byte, program []byte) []byte {
	script := make([]byte, 0, 2+len(program))
	if version > 0 {
		version += txscript.OP_1 - 1
	}
	script = append(script, version, byte(len(program)))
	return append(script, program...)
}

func witnessProgram(script []byte) (version byte, program []byte, ok bool) {
	if len(script) < 4 || int(script[1]) != len(script)-2 {
		return 0, nil, false
	}
	version = script[0]
	if version > 0 {
		if version < txscript.OP_1 || version > txscript.OP_16 {
			return 0, nil, false
		}
		version -= txscript.OP_1 - 1
	}
	program = script[2:]
	return version, program, validProgram(version, program)
}

func shorten(s string) string {
	if len(s) > maxAddress {
		return s[:maxAddress] + "…"
	}
	return s
}
