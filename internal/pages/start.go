package pages

import "net/http"

type startPage struct {
	T         *text
	Sandbox   bool
	PublicURL string
}

// start says what this server is to whoever opens its bare address.
func (p *Pages) start(w http.ResponseWriter, _ *http.Request) error {
	return p.show(w, http.StatusOK, "start", &startPage{T: &english, Sandbox: p.Sandbox, PublicURL: p.Renderer.PublicURL})
}
