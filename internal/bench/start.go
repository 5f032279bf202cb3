package main

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"time"
)

// start measures the time from exec to ready, on the first start and on later
// ones, and the memory a moment after.
func (b *bench) start(ctx context.Context) error {
	var bare, first, later, memory []float64
	for i := range b.rounds {
		at := time.Now()
		if err := exec.CommandContext(ctx, b.bin, "version").Run(); err != nil {
			return err
		}
		bare = append(bare, ms(at))
		dir := filepath.Join(b.dir, fmt.Sprint("start-", i))
		for _, list := range []*[]float64{&first, &later} {
			took, mem, err := b.once(ctx, dir)
			if err != nil {
				return err
			}
			*list = append(*list, took)
			memory = append(memory, mem)
		}
	}
	floor := median(bare)
	for _, f := range []struct {
		what string
		list []float64
	}{{"ready after the first start", first}, {"ready after a restart", later}} {
		took := median(f.list)
		b.add(row{what: f.what, ours: fmt.Sprintf("%.0f ms", took), floor: fmt.Sprintf("%.0f ms (exec)", floor), ratio: took / floor, target: "≤ 150 ms", ok: took <= 150})
	}
	m := median(memory)
	b.add(row{what: "memory at rest", ours: fmt.Sprintf("%.0f MiB", m), target: "≤ 60 MiB", ok: m <= 60})
	return nil
}

func ms(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

func (b *bench) once(ctx context.Context, dir string) (took, memory float64, err error) {
	at := time.Now()
	p, err := b.serve(dir)
	if err != nil {
		return 0, 0, err
	}
	defer p.stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/readyz", nil)
		if err != nil {
			return 0, 0, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, 0, err
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			break
		}
		time.Sleep(time.Millisecond)
	}
	took = ms(at)
	time.Sleep(2 * time.Second)
	memory, err = p.resident()
	return took, memory, err
}
