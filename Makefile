# Two commands are all there is to know: make demo, make test.

GO      ?= go
BIN     := bin/quittance
PKGS    := ./...
export CGO_ENABLED ?= 0

.PHONY: demo check build test race bench lint campaign clean

demo: build ## watch an invoice being paid on a real chain, in the browser
	$(BIN) demo

check: build ## the same tour, alone
	$(BIN) demo --check

build:
	$(GO) build -o $(BIN) ./cmd/quittance

test: build lint ## everything; installs or starts what it needs
	./testing/prepare
	$(GO) test -timeout 15m $(PKGS)
	$(BIN) demo --check

race: ## the Go tests under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 30m $(PKGS)

bench: build ## one table, each figure beside a floor measured in the same run
	$(GO) run ./internal/bench -bin $(BIN)

lint: ## gofmt, vet, staticcheck, govulncheck
	./testing/lint

campaign: ## the long forms of the campaigns against crashes and faults; takes an hour
	QUITTANCE_CRASH_KILLS=200 $(GO) test -count=1 -timeout 60m -v -run TestKilledUnderLoad ./internal/e2e
	QUITTANCE_PAYOUTS=10000 $(GO) test -count=1 -timeout 120m -v -run TestPayoutOnce ./internal/watch
	QUITTANCE_HISTORIES=50 $(GO) test -count=1 -timeout 60m -v -run "TestLedgerCampaign|TestMoneyCampaign" ./internal/watch
	QUITTANCE_RESTORES=50 $(GO) test -count=1 -timeout 60m -v -run TestRestoreDrill ./internal/watch
	QUITTANCE_CAMPAIGN=1 $(GO) test -count=1 -timeout 60m -v -run TestHistoriesEndRight ./internal/watch
	QUITTANCE_CAMPAIGN=1 $(GO) test -count=1 -timeout 60m -v -run "Reorganisations|KeepsAPayment|WhoWasAlone" ./internal/chain/bitcoin/light

clean:
	rm -rf bin .cache
