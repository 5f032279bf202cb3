package pages

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed static templates
var files embed.FS

// file is one embedded file as it is served.
type file struct {
	body []byte
	kind string // MIME type
}

var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// loadStatic names each file after its content, so that browsers may keep it for
// ever and a new release is seen at once.
func (p *Pages) loadStatic() error {
	p.static, p.paths = map[string]*file{}, map[string]string{}
	list, err := fs.ReadDir(files, "static")
	if err != nil {
		return err
	}
	for _, e := range list {
		body, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			return err
		}
		ext := path.Ext(e.Name())
		sum := sha256.Sum256(body)
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		p.static[hashed] = &file{body, kinds[ext]}
		p.paths[e.Name()] = "/static/" + hashed
		if e.Name() == "bitpay.js" {
			p.widget = p.static[hashed]
		}
	}
	return nil
}

func (p *Pages) staticFile(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	keep := "public, max-age=31536000, immutable"
	if hashed, plain := p.paths[name]; plain && path.Ext(name) == ".svg" {
		// The API names pictures without their hash: kept for a while only.
		name, keep = path.Base(hashed), "public, max-age=3600"
	}
	f, ok := p.static[name]
	if !ok {
		http.NotFound(w, r)
		return nil
	}
	w.Header().Set("Cache-Control", keep)
	return p.send(w, f)
}

// shopScript serves the script that shops load from their own pages, under the
// name that never changes.
func (p *Pages) shopScript(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	return p.send(w, p.widget)
}

func (p *Pages) send(w http.ResponseWriter, f *file) error {
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	_, err := w.Write(f.body)
	if err != nil {
		p.Log.Debug("the browser went away", "error", err)
	}
	return nil
}
