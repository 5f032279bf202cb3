package api

import (
	"github.com/quittance/quittance/internal/fault"
	"github.com/quittance/quittance/internal/merchant"
	"github.com/quittance/quittance/wire"
)

// maxSINs bounds the identities linked to one token.
const maxSINs = 100

// postToken asks for a token or claims one: POST /tokens.
func (s *Server) postToken(c *call) (any, error) {
	f := &fieldReader{o: c.fields, code: c.invalid()}
	sin, facade, code := f.text("id"), f.text("facade"), f.text("pairingCode")
	label, guid := f.text("label"), f.text("guid")
	if f.err != nil {
		return nil, f.err
	}
	if sin == "" {
		return nil, fault.Missing(c.missing(), "id")
	}
	if err := merchant.CheckSIN(sin); err != nil {
		return nil, fault.Invalid(c.invalid(), "id", "%v", err)
	}
	if len(guid) > maxGUID {
		return nil, fault.Invalid(c.invalid(), "guid", "at most %d bytes", maxGUID)
	}
	var t *merchant.Token
	var err error
	switch {
	case code != "" && facade != "":
		return nil, fault.Invalid(c.invalid(), "facade", "the pairing code already has one; leave facade out")
	case code != "":
		t, err = s.App.ClaimToken(c.r.Context(), sin, code)
	default:
		t, err = s.App.RequestToken(c.r.Context(), sin, facade, label, guid)
	}
	if err != nil {
		return nil, err
	}
	return data([]wire.Token{wireToken(t)}), nil
}

func wireToken(t *merchant.Token) wire.Token {
	w := wire.Token{
		Policies: []wire.Policy{policy(t)}, Token: t.Token, Facade: string(t.Facade), Label: t.Label,
		DateCreated: t.Created.UnixMilli(), PairingCode: t.Code,
	}
	if !t.CodeExpiry.IsZero() {
		w.PairingExpiration = t.CodeExpiry.UnixMilli()
	}
	return w
}

func policy(t *merchant.Token) wire.Policy {
	p := wire.Policy{Policy: "id", Method: string(t.State), Params: t.SINs}
	if t.State == merchant.Active {
		p.Method = "requireSin"
	}
	if p.Params == nil {
		p.Params = []string{}
	}
	return p
}

// getTokens lists the signer's tokens: GET /tokens.
func (s *Server) getTokens(c *call) (any, error) {
	tokens, err := s.App.ActiveTokens(c.r.Context(), c.sin)
	if err != nil {
		return nil, err
	}
	list := []map[string]string{}
	for _, t := range tokens {
		list = append(list, map[string]string{string(t.Facade): t.Token})
	}
	return data(list), nil
}

// getSINs lists the identities linked to a token: GET /tokens/{token}/sins.
func (s *Server) getSINs(c *call) (any, error) { return data(c.token.SINs), nil }

// postSIN links one more identity: POST /tokens/{token}/sins.
func (s *Server) postSIN(c *call) (any, error) {
	sin, err := c.fields.text(c.invalid(), "sin")
	if err != nil {
		return nil, err
	}
	if sin == "" {
		return nil, fault.Missing(c.missing(), "sin")
	}
	if err := merchant.CheckSIN(sin); err != nil {
		return nil, fault.Invalid(c.invalid(), "sin", "%v", err)
	}
	return c.changeSINs(func(t *merchant.Token) error {
		if t.Link(sin); len(t.SINs) > maxSINs {
			return fault.Invalid(c.invalid(), "sin", "a token has at most %d; remove one first", maxSINs)
		}
		return nil
	})
}

// deleteSIN removes one: DELETE /tokens/{token}/sins/{sin}.
func (s *Server) deleteSIN(c *call) (any, error) {
	return c.changeSINs(func(t *merchant.Token) error { return t.Unlink(c.params["sin"], c.sin) })
}

func (c *call) changeSINs(do func(*merchant.Token) error) (any, error) {
	t, err := c.server.App.ChangeToken(c.r.Context(), c.token.Token, c.merchant.ID, do)
	if err != nil {
		return nil, err
	}
	return data(t.SINs), nil
}
