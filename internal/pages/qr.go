package pages

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quiet is the white margin that the standard asks for, in modules.
const quiet = 4

// picture is a QR code as one SVG path; Size is the side in modules, with margin.
type picture struct {
	Path string
	Size int
}

// draw encodes a text at level M (15 % may be damaged). Each run of dark modules
// in a row becomes one rectangle of the path.
func draw(s string) (*picture, error) {
	code, err := qr.Encode(s, qr.M)
	if err != nil {
		return nil, fmt.Errorf("draw the QR code: %w", err)
	}
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; {
			run := 0
			for x+run < code.Size && code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
			}
			x += max(run, 1)
		}
	}
	return &picture{Path: b.String(), Size: code.Size + 2*quiet}, nil
}
