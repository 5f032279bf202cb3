package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/quittance/quittance/internal/chain/bitcoin"
	"github.com/quittance/quittance/internal/chain/bitcoin/hot"
	"github.com/quittance/quittance/internal/chain/bitcoin/signer"
)

// leastPassphrase is how long a passphrase that seals something has to be.
const leastPassphrase = 12

type signerInit struct {
	signerPlace
	Name       string `arg:"" help:"What the policy calls the wallet."`
	Network    string `help:"main, test, testnet4, signet or regtest." enum:"main,test,testnet4,signet,regtest" default:"main"`
	Asset      string `help:"Coin: BTC, LTC, BCH or DOGE." default:"BTC"`
	Kind       string `help:"bip84 (native segwit), bip86 (taproot), bip49 (nested segwit) or bip44 (legacy). Default: the chain's usual one." enum:",bip44,bip49,bip84,bip86" default:"" placeholder:"KIND"`
	Account    uint32 `help:"Index of the account." default:"0"`
	Import     bool   `help:"Read the 12 to 24 words of a seed that is there already, from the terminal or standard input."`
	Passphrase string `help:"Seals the seed; asked for at the terminal when it is not set." env:"QUITTANCE_SEED_PASSPHRASE"`
	JSON       bool   `help:"Print JSON." name:"json"`
}

// Run makes a wallet of the signer's.
func (c *signerInit) Run(context.Context) error {
	words, err := c.words()
	if err != nil {
		return err
	}
	seed, err := bitcoin.SeedFromMnemonic(words, "")
	if err != nil {
		return err
	}
	passphrase, err := newSecret(c.Passphrase, "QUITTANCE_SEED_PASSPHRASE", "Passphrase to seal the seed with: ")
	if err != nil {
		return err
	}
	of, err := bitcoin.Find(strings.ToUpper(c.Asset), c.Network)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "bitcoin: "))
	}
	w, err := signer.NewWallet(c.Name, of, kindOf(c.Kind, of), c.Account, seed, passphrase, bitcoin.DefaultWorkFactor)
	if err != nil {
		return err
	}
	if err := w.Keep(c.Dir); err != nil {
		return err
	}
	return c.show(w, words)
}

// words are those of a seed: new, or read.
func (c *signerInit) words() (string, error) {
	if c.Import {
		return secretLine("The seed's words: ")
	}
	entropy := make([]byte, 32)
	rand.Read(entropy)
	return bitcoin.NewMnemonic(entropy)
}

func (c *signerInit) show(w *signer.Wallet, words string) error {
	path, err := c.socket()
	if err != nil {
		return err
	}
	address, err := signer.Address(path)
	if err != nil {
		return err
	}
	out := map[string]string{"name": w.Name, "asset": w.Asset, "network": w.Network, "kind": w.Kind, "xpub": w.XPub, "signer": address}
	if !c.Import {
		out["words"] = words
	}
	return place{JSON: c.JSON}.show(out, func(o io.Writer) {
		fmt.Fprintf(o, "wallet       %s, %s %s on %s\naccount key  %s\n", w.Name, w.Asset, w.Kind, w.Network, w.XPub)
		if !c.Import {
			fmt.Fprintf(o, "\nWrite these words down now; they are not shown again:\n  %s\n", words)
		}
		fmt.Fprintf(o, "\nNext: bound it with a table [wallet.%s] in the policy, start `quittance signer`, and tell the server:\n  quittance wallet add --asset %s --kind %s --xpub %s --signer %s\n", w.Name, w.Asset, w.Kind, w.XPub, address)
	})
}

type signerList struct {
	signerPlace
	JSON bool `help:"Print JSON." name:"json"`
}

// Run shows what waits.
func (c *signerList) Run(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	list, err := client.Status(ctx)
	if err != nil {
		return err
	}
	return place{JSON: c.JSON}.show(list, func(w io.Writer) {
		for _, s := range list {
			fmt.Fprintf(w, "%s  %s on %s  %d of %d satoshi left within 24 hours, %d wait\n", s.Name, s.Kind, s.Network, s.Today, s.MaxDay, len(s.Waiting))
			for _, a := range s.Waiting {
				fmt.Fprintf(w, "  %s  %s satoshi for %s since %s", a.Digest[:16], fmt.Sprint(a.Leaves), a.Transfer, a.At.UTC().Format("2006-01-02 15:04:05Z"))
				if a.Why == "" {
					a.Why = "it is signed when the server asks again"
				}
				fmt.Fprintf(w, " — %s\n", a.Why)
			}
		}
	})
}

type signerApprove struct {
	signerPlace
	Digest     string `arg:"" help:"As the list shows it."`
	As         string `help:"Who agrees, as the policy names them." required:"" placeholder:"NAME"`
	Key        string `help:"File of the approver's key. Default: NAME.key." placeholder:"FILE"`
	Passphrase string `help:"Opens the key; asked for at the terminal when it is not set." env:"QUITTANCE_APPROVER_PASSPHRASE"`
	Yes        bool   `help:"Do not ask again."`
}

// Run shows what is asked for, in the words that are signed, and signs them.
func (c *signerApprove) Run(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	list, err := client.Status(ctx)
	if err != nil {
		return err
	}
	xpub, ask, err := waiting(list, c.Digest)
	if err != nil {
		return err
	}
	if err := signer.CheckStatement(ask.Statement, ask.Digest); err != nil {
		return err
	}
	fmt.Print(ask.Statement)
	if err := c.confirm(); err != nil {
		return err
	}
	if c.Key == "" {
		c.Key = c.As + ".key"
	}
	passphrase, err := secret(c.Passphrase, "QUITTANCE_APPROVER_PASSPHRASE", "Passphrase of your key: ")
	if err != nil {
		return err
	}
	key, err := signer.OpenApprover(c.Key, passphrase)
	if err != nil {
		return err
	}
	n, err := client.Approve(ctx, signer.Approval{XPub: xpub, Digest: ask.Digest, Name: c.As, Signature: ed25519.Sign(key, []byte(ask.Statement))})
	if err != nil {
		return err
	}
	fmt.Printf("noted; %d agree\n", n)
	return nil
}

func (c *signerApprove) confirm() error {
	if c.Yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return errors.New("nobody is there to read this: say --yes if somebody has")
	}
	fmt.Print("Do you agree? Type yes: ")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "yes" {
		return errors.New("not approved")
	}
	return nil
}

// waiting finds what a person means.
func waiting(list []signer.WalletStatus, digest string) (xpub string, found *hot.Asked, err error) {
	for _, s := range list {
		for i := range s.Waiting {
			if len(digest) < 8 || !strings.HasPrefix(s.Waiting[i].Digest, digest) {
				continue
			}
			if found != nil {
				return "", nil, fmt.Errorf("more than one thing that waits begins with %q: give more of it", digest)
			}
			xpub, found = s.XPub, &s.Waiting[i]
		}
	}
	if found == nil {
		return "", nil, fmt.Errorf("nothing waits under %q: `quittance signer list` shows what does", digest)
	}
	return xpub, found, nil
}

type signerApprover struct {
	Name       string `arg:"" help:"Who it is."`
	Key        string `help:"Where to keep the key. Default: NAME.key." placeholder:"FILE"`
	Passphrase string `help:"Seals the key; asked for at the terminal when it is not set." env:"QUITTANCE_APPROVER_PASSPHRASE"`
}

// Run makes a key. It is for the approver, on a machine of their own if possible.
func (c *signerApprover) Run(context.Context) error {
	if c.Key == "" {
		c.Key = c.Name + ".key"
	}
	passphrase, err := newSecret(c.Passphrase, "QUITTANCE_APPROVER_PASSPHRASE", "Passphrase to seal your key with: ")
	if err != nil {
		return err
	}
	public, sealed, err := signer.NewApprover(rand.Reader, passphrase, bitcoin.DefaultWorkFactor)
	if err != nil {
		return err
	}
	if err := signer.KeepApprover(c.Key, sealed); err != nil {
		return err
	}
	fmt.Printf("The key is in %s; whoever has it and its passphrase approves as %s.\nThe policy's table [approvers] needs this line:\n%s = %q\n", c.Key, c.Name, c.Name, public)
	return nil
}
