package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/quittance/quittance/internal/chain/bitcoin/signer"
)

// signerCmd keeps keys in a process of its own.
type signerCmd struct {
	Run      signerRun      `cmd:"" default:"withargs" help:"Hold the seeds and sign what the policy allows."`
	Init     signerInit     `cmd:"" help:"Make a wallet, or import one, and print its account key."`
	List     signerList     `cmd:"" aliases:"status" help:"Show what waits and why, and what left today."`
	Approve  signerApprove  `cmd:"" help:"Agree to something that waits, with an approver's key."`
	Approver signerApprover `cmd:"" help:"Make an approver's key and print what the policy says of it."`
}

// signerPlace says where a signer's folder and socket are.
type signerPlace struct {
	Dir    string `help:"Folder of the sealed seeds, the policy and the memory (${default})." default:"quittance-signer" env:"QUITTANCE_SIGNER_DIR" placeholder:"DIR"`
	Socket string `help:"Where it answers. Default: signer.sock in the folder." env:"QUITTANCE_SIGNER_SOCKET" placeholder:"PATH"`
}

// socket is the whole path of the socket.
func (p signerPlace) socket() (string, error) {
	if p.Socket != "" {
		return filepath.Abs(p.Socket)
	}
	return filepath.Abs(filepath.Join(p.Dir, "signer.sock"))
}

func (p signerPlace) client() (*signer.Client, error) {
	path, err := p.socket()
	if err != nil {
		return nil, err
	}
	return signer.NewClient(path)
}

type signerRun struct {
	signerPlace
	Policy     string `help:"What may be signed (TOML). Default: policy.toml in the folder." env:"QUITTANCE_SIGNER_POLICY" placeholder:"FILE"`
	Passphrase string `help:"Opens the seeds; asked for at the terminal when it is not set." env:"QUITTANCE_SEED_PASSPHRASE"`
	LogLevel   string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"QUITTANCE_LOG_LEVEL"`
}

// Run signs until the program is told to stop.
func (c *signerRun) Run(ctx context.Context) error {
	path, policy, err := c.prepare()
	if err != nil {
		return err
	}
	shared, err := policy.Shared()
	if err != nil {
		return err
	}
	if dir, err := filepath.Abs(c.Dir); err != nil || shared && filepath.Dir(path) == dir {
		return errors.Join(err, fmt.Errorf("allow_uids lets other users in, who cannot reach into the folder of the seeds: choose a --socket outside of %s", c.Dir))
	}
	lock, err := lockFile(filepath.Join(c.Dir, "signer.lock"))
	if errors.Is(err, errLocked) {
		return fmt.Errorf("another signer works on %s: stop it first", c.Dir)
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	passphrase, err := secret(c.Passphrase, "QUITTANCE_SEED_PASSPHRASE", "Passphrase of the seeds: ")
	if err != nil {
		return err
	}
	hideMemory()
	keys, err := signer.OpenAll(c.Dir, passphrase, policy, time.Now)
	if err != nil {
		return err
	}
	return errors.Join(c.serve(ctx, path, shared, keys, policy), keys.Close())
}

// prepare finds out all that can be wrong before a passphrase is asked for.
func (c *signerRun) prepare() (socket string, p *signer.Policy, err error) {
	if socket, err = c.socket(); err != nil {
		return "", nil, err
	}
	if _, err = signer.Address(socket); err != nil {
		return "", nil, err
	}
	if _, err = signer.Wallets(c.Dir); err != nil {
		return "", nil, err
	}
	if c.Policy == "" {
		c.Policy = filepath.Join(c.Dir, "policy.toml")
	}
	p, err = signer.ReadPolicy(c.Policy)
	return socket, p, err
}

func (c *signerRun) serve(ctx context.Context, path string, shared bool, keys *signer.Keyring, policy *signer.Policy) error {
	l, err := signer.Listen(path, shared)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level(c.LogLevel)}))
	s := signer.NewServer(signer.Config{Wallets: keys.Open, AllowUIDs: policy.AllowUIDs, Log: log})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	fmt.Printf("quittance %s signs for %d wallets on %s\n", version, len(keys.Open), path)
	select {
	case err = <-ended:
		return err
	case <-ctx.Done():
	}
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer done()
	return errors.Join(s.Close(stop), <-ended)
}
