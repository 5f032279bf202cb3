package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is a server started by this run.
type process struct {
	cmd *exec.Cmd
	url string
	dir string
}

// serve starts the program on a data folder.
func (b *bench) serve(dir string, extra ...string) (*process, error) {
	args := append([]string{"serve", "--sandbox", "--json", "--data", dir, "--listen", "127.0.0.1:0", "--limit-address", "0", "--limit-merchant", "0", "--log-level", "error"}, extra...)
	return spawn(dir, b.bin, args...)
}

// floor starts this very program as the floor's server.
func (b *bench) floor(dir string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return spawn(dir, self, "-floor", filepath.Join(dir, "floor.db"))
}

func spawn(dir, bin string, args ...string) (*process, error) {
	cmd := exec.Command(bin, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var told struct{ URL string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &told)
	}
	if err != nil {
		_ = cmd.Wait()
		return nil, fmt.Errorf("%s did not start: %w", bin, err)
	}
	return &process{cmd, told.URL, dir}, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(15 * time.Second):
		_ = p.cmd.Process.Kill()
		<-done
	}
}

// resident is the process's memory in MiB.
func (p *process) resident() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0, err
	}
	return pages * float64(os.Getpagesize()) / (1 << 20), nil
}

// operator runs a command of the program and reads what it printed.
func (b *bench) operator(out any, args ...string) error {
	printed, err := exec.Command(b.bin, append(args, "--json")...).Output()
	if err != nil {
		return fmt.Errorf("%v: %w", args, err)
	}
	return json.Unmarshal(printed, out)
}
