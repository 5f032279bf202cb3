package bitcoin

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/quittance/quittance/internal/money"
)

// The zpub and the first address of BIP 84's test vectors.
const (
	bip84Zpub  = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
	bip84First = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"
)

func TestKeysTakeASLIP132KeyAndKeepItsCanonicalText(t *testing.T) {
	keys := NewKeys(Mainnet)
	xpub, err := keys.Check(bip84Zpub, "bip84")
	if err != nil {
		t.Fatal(err)
	}
	if xpub[:4] != "xpub" {
		t.Errorf("canonical text %s", xpub)
	}
	if again, err := keys.Check(xpub, "bip84"); err != nil || again != xpub {
		t.Errorf("the canonical text gives %s, %v", again, err)
	}
	for range 2 { // parsed, then kept
		addr, script, err := keys.Address(xpub, "bip84", 0)
		if err != nil || addr != bip84First {
			t.Fatalf("%s, %v", addr, err)
		}
		if want, _ := AddressScript(addr, Mainnet); !bytes.Equal(script, want) {
			t.Errorf("script %x, want %x", script, want)
		}
		if dust := keys.Dust(script); dust.Cmp(money.NewUnits(294)) != 0 {
			t.Errorf("dust %s", dust)
		}
	}
}

func TestKeysRefuseWhatIsNoAccountOrNoIndex(t *testing.T) {
	main, regtest := NewKeys(Mainnet), NewKeys(Regtest)
	if _, err := regtest.Check(bip84Zpub, "bip84"); err == nil {
		t.Error("a mainnet key is no regtest wallet")
	}
	if _, err := main.Check(bip84Zpub, "bip86"); err == nil {
		t.Error("a zpub is no taproot account")
	}
	if _, err := main.Check("zpub", "bip84"); err == nil {
		t.Error("four letters are no key")
	}
	for _, index := range []int64{-1, 1 << 31, 1 << 40} {
		if _, _, err := main.Address(bip84Zpub, "bip84", index); err == nil {
			t.Errorf("index %d was derived", index)
		}
	}
	if _, _, err := main.Address(bip84Zpub, "bip44", 0); err == nil {
		t.Error("an unknown kind was derived")
	}
}

func TestKeysKeepABoundedNumberOfAccounts(t *testing.T) {
	keys := NewKeys(Mainnet)
	for i := range maxAccounts {
		keys.accounts[accountID{fmt.Sprint(i), "bip84"}] = &Account{}
	}
	if _, _, err := keys.Address(bip84Zpub, "bip84", 1); err != nil {
		t.Fatal(err)
	}
	if len(keys.accounts) != maxAccounts {
		t.Errorf("%d accounts are kept", len(keys.accounts))
	}
}

func TestKeysServeManyAtOnce(t *testing.T) {
	keys := NewKeys(Mainnet)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range int64(50) {
				if _, _, err := keys.Address(bip84Zpub, "bip84", i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkKeysAddress(b *testing.B) {
	for _, kind := range []string{"bip84", "bip86"} {
		keys := NewKeys(Mainnet)
		xpub, err := keys.Check(bip84Zpub, "bip84")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(kind, func(b *testing.B) {
			for i := range b.N {
				if _, _, err := keys.Address(xpub, kind, int64(i)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
