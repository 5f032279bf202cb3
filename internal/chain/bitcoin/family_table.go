package bitcoin

import (
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
)

// coinSupply is the most that exists of Bitcoin and Bitcoin Cash.
const coinSupply = 21_000_000_0000_0000

// family is every chain that is known. The figures are those of the reference
// nodes: their chainparams, and their default policy.
var family = slicesOf(bitcoins(), litecoins(), cashes(), doges())

func slicesOf(lists ...[]Chain) (out []*Chain) {
	for _, l := range lists {
		for i := range l {
			out = append(out, &l[i])
		}
	}
	return out
}

func bitcoins() []Chain {
	c := Chain{
		Code: "BTC", Name: "Bitcoin", Scheme: "bitcoin", Kinds: []Kind{BIP84, BIP86, BIP49, BIP44},
		RelayFee: 1000, FallbackFee: 10_000, MaxFee: 200_000, MaxMemberFee: 2_000,
		DustFee: 3000, MaxMoney: coinSupply, Replaceable: true, Confirmed: 1, Complete: 6,
	}
	main := c.on("main", &chaincfg.MainNetParams)
	main.Marks = []Mark{{cashBlock.Height, cashBlock.Hash, true}}
	return []Chain{
		main, c.on("test", &chaincfg.TestNet3Params), c.on("testnet4", &chaincfg.TestNet4Params),
		c.on("signet", &chaincfg.SigNetParams), c.on("regtest", &chaincfg.RegressionNetParams),
	}
}

// litecoins follows Litecoin Core 0.21.
func litecoins() []Chain {
	c := Chain{
		Code: "LTC", Name: "Litecoin", Scheme: "litecoin", Kinds: []Kind{BIP84, BIP86, BIP49, BIP44},
		RelayFee: 1000, FallbackFee: 20_000, MaxFee: 2_000_000, MaxMemberFee: 20_000,
		DustFee: 30_000, MaxMoney: 4 * coinSupply, Replaceable: true, Confirmed: 1, Complete: 6,
	}
	return []Chain{
		c.on("main", addresses(48, 50, "ltc", 2, "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2")),
		c.on("test", addresses(111, 58, "tltc", 1, "4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0")),
		c.on("regtest", addresses(111, 58, "rltc", 1, "530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9")),
	}
}

// cashBlock is a block after Bitcoin Cash went its own way.
var cashBlock = Mark{Height: 510_000, Hash: "00000000000000000367922b6457e21d591ef86b360d78a598b14c2f1f6b0e04"}

// cashes follows Bitcoin Cash Node. Its chain is Bitcoin's up to the fork, so a
// block after it tells the two apart; on the test networks nothing does.
func cashes() []Chain {
	c := Chain{
		Code: "BCH", Name: "Bitcoin Cash", Scheme: "bitcoincash", Kinds: []Kind{BIP44}, ForkID: true,
		RelayFee: 1000, FallbackFee: 1000, MaxFee: 1_000_000, MaxMemberFee: 10_000,
		// Its nodes undo no block that is 10 deep.
		DustFee: 3000, MaxMoney: coinSupply, Confirmed: 1, Complete: 10,
	}
	main := c.on("main", addresses(0, 5, "", 145, chaincfg.MainNetParams.GenesisHash.String()))
	main.Marks = []Mark{cashBlock}
	main.CashPrefix = "bitcoincash"
	test := c.on("test", addresses(111, 196, "", 1, chaincfg.TestNet3Params.GenesisHash.String()))
	test.CashPrefix = "bchtest"
	reg := c.on("regtest", addresses(111, 196, "", 1, chaincfg.RegressionNetParams.GenesisHash.String()))
	reg.CashPrefix = "bchreg"
	return []Chain{main, test, reg}
}

// doges follows Dogecoin Core 1.14.
func doges() []Chain {
	c := Chain{
		Code: "DOGE", Name: "Dogecoin", Scheme: "dogecoin", Kinds: []Kind{BIP44},
		RelayFee: 100_000, FallbackFee: 1_000_000, MaxFee: 20_0000_0000, MaxMemberFee: 1000_0000,
		MinOutput: 1_000_000, MaxMoney: 10_000_000_000_0000_0000, Confirmed: 2, Complete: 20,
	}
	return []Chain{
		c.on("main", addresses(30, 22, "", 3, "1a91e3dace36e2be3bf030a65679fe821aa1d6ef92e7c9902eb318182c355691")),
		c.on("test", addresses(113, 196, "", 1, "bb0a78264637406b6360aad926284d544d7049f45189db5664f3c4d07350559e")),
		c.on("regtest", addresses(111, 196, "", 1, "3d2160a3b5dc4a9d62e7e66a295f70313ac808440ef7400d6c0772171ce973a5")),
	}
}

func (c Chain) on(network string, p *chaincfg.Params) Chain {
	c.Network, c.Params = network, p
	return c
}

// addresses are the parameters of a chain of which only addresses and keys are
// reckoned here. Extended keys are written as xpub and tpub on every chain, as
// most wallets do; other spellings are read (SLIP-132).
func addresses(pubKeyHash, scriptHash byte, hrp string, coinType uint32, genesis string) *chaincfg.Params {
	hash, err := chainhash.NewHashFromStr(genesis)
	if err != nil {
		panic(err) // a slip in the table above
	}
	from := &chaincfg.TestNet3Params
	if coinType != from.HDCoinType {
		from = &chaincfg.MainNetParams
	}
	return &chaincfg.Params{
		GenesisHash: hash, PubKeyHashAddrID: pubKeyHash, ScriptHashAddrID: scriptHash, Bech32HRPSegwit: hrp,
		HDCoinType: coinType, HDPublicKeyID: from.HDPublicKeyID, HDPrivateKeyID: from.HDPrivateKeyID,
	}
}
