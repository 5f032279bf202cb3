package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
	_ "golang.org/x/crypto/x509roots/fallback" // authorities for where the system has none, as in an empty container

	"github.com/quittance/quittance/internal/fault"
)

// version is set when a release is built.
var version = "0.1.0-dev"

// cli is the command line. Each flag is also a key of the configuration file and
// an environment variable; the flag wins, then the environment, then the file.
type cli struct {
	Config kong.ConfigFlag `help:"Configuration file (TOML). Default: quittance.toml in the data folder, if there is one." env:"QUITTANCE_CONFIG" placeholder:"FILE"`

	Serve      serveCmd      `cmd:"" help:"Run the server."`
	Demo       demoCmd       `cmd:"" help:"Show an invoice being paid on a real chain, in the browser or (--check) alone."`
	Merchant   merchantCmd   `cmd:"" help:"Create and change merchants."`
	Wallet     walletCmd     `cmd:"" help:"Give merchants a place to receive."`
	Pair       pairCmd       `cmd:"" help:"Approve clients, or make pairing codes for them."`
	Token      tokenCmd      `cmd:"" help:"List and revoke API tokens."`
	Sandbox    sandboxCmd    `cmd:"" help:"Move the sandbox chain of a running server."`
	Recipient  recipientCmd  `cmd:"" help:"Look after the people that merchants pay out to."`
	Webhook    webhookCmd    `cmd:"" help:"Look at deliveries and send them again."`
	Payout     payoutCmd     `cmd:"" help:"Look at payouts and release those that are held."`
	Approver   approverCmd   `cmd:"" help:"Say who may release payouts."`
	Transfer   transferCmd   `cmd:"" help:"Look at the transactions that pay out, and hurry them along."`
	PSBT       psbtCmd       `cmd:"" name:"psbt" help:"Have the transactions of watch-only wallets signed elsewhere."`
	Settlement settlementCmd `cmd:"" help:"Look at settlements, close a period, mark what the bank did."`
	Ledger     ledgerCmd     `cmd:"" help:"Look at the merchants' ledgers, and book by hand."`
	Payment    paymentCmd    `cmd:"" help:"Decide about money that nobody asked for."`
	Verify     verifyCmd     `cmd:"" help:"Prove the books: evaluate every invariant, while the server serves."`
	Signer     signerCmd     `cmd:"" help:"Keep keys in a process of their own, with its own policy."`
	Protocol   protocolCmd   `cmd:"" help:"Look after the keys that sign answers to wallets."`
	Chain      chainCmd      `cmd:"" help:"See how far chains were followed, and look back through them."`
	Doctor     doctorCmd     `cmd:"" help:"Say what is wrong and what to do, on one page; the settings are those of serve."`
	Backup     backupCmd     `cmd:"" help:"Copy the database and what belongs to it, while the server serves."`
	Outgoing   outgoingCmd   `cmd:"" help:"Stop all money out, or let it leave again."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("quittance"),
		kong.Description("A self-hosted crypto payment processor that speaks the BitPay API."),
		kong.Configuration(tomlConfig, configFiles(args)...),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "quittance:", err)
		return 2
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "quittance:", err)
		return 2
	}
	if err := command.Run(); err != nil {
		var silent exitStatus
		if errors.As(err, &silent) {
			return int(silent)
		}
		fmt.Fprintln(os.Stderr, "quittance:", inWords(err))
		return 1
	}
	return 0
}

// inWords leaves out an API error's code: a person reads this.
func inWords(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Message
	}
	return err.Error()
}

// exitStatus ends the program without another word.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// configFiles is where the configuration is looked for when no flag names one.
func configFiles(args []string) []string {
	data := os.Getenv("QUITTANCE_DATA")
	for i, a := range args {
		if a == "--data" && i+1 < len(args) {
			data = args[i+1]
		} else if len(a) > 7 && a[:7] == "--data=" {
			data = a[7:]
		}
	}
	if data == "" {
		data = defaultData
	}
	return []string{filepath.Join(data, "quittance.toml")}
}

type versionCmd struct{ place }

func (c versionCmd) Run() error {
	return c.show(map[string]string{"version": version}, func(w io.Writer) { fmt.Fprintln(w, "quittance", version) })
}
