package api

import (
	"github.com/quittance/quittance/wire"
)

// getWallets lists the wallets that buyers use, with the assets this server
// takes: GET /supportedwallets.
func (s *Server) getWallets(*call) (any, error) {
	return data(s.SelectableWallets()), nil
}

// SelectableWallets is the list of wallets that can pay in an enabled asset.
func (s *Server) SelectableWallets() []wire.Wallet {
	enabled := map[string]bool{}
	for _, a := range s.App.Assets {
		enabled[a.Code] = true
	}
	list := []wire.Wallet{}
	for _, d := range wallets {
		w := wire.Wallet{
			Key: d.key, DisplayName: d.displayName, Avatar: d.avatar, Image: s.Renderer.PublicURL + "/static/wallet.svg",
			UniCode: d.uniCode, OffChainMode: d.offChainMode, Lightning: d.lightning, InvoiceDefault: d.invoiceDefault, Currencies: []wire.WalletCurrency{},
		}
		for _, cur := range d.currencies {
			if enabled[cur.code] {
				w.Currencies = append(w.Currencies, s.walletCurrency(cur))
			}
		}
		if len(w.Currencies) > 0 {
			list = append(list, w)
		}
	}
	return list
}

func (s *Server) walletCurrency(d walletCurrency) wire.WalletCurrency {
	w := wire.WalletCurrency{
		Code: d.code, Image: s.Renderer.PublicURL + "/static/coin.svg", P2P: d.p2p,
		DappBrowser: d.dappBrowser, WalletConnect: d.walletConnect, QR: wire.WalletQR{Type: d.qrType},
	}
	if d.payPro {
		// The payment protocol is not served here: such a wallet pays an address.
		w.QR.Type = "ADDRESS"
	}
	if d.collapsed {
		w.QR.Collapsed = &d.collapsed
	}
	return w
}
