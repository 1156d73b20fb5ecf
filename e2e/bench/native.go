package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// native compares wimx, built from this tree, with wimlib-imagex.
func (b *bench) native(ctx context.Context, add func(work, archive string, ours, peers []contender) error) error {
	folder, err := os.MkdirTemp("", "wimscope-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	wimx := filepath.Join(folder, "wimx")
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", wimx, "./wim/cmd/wimx").CombinedOutput(); err != nil {
		return fmt.Errorf("build wimx: %w\n%s", err, out)
	}
	for _, name := range []string{"none", "xpress", "lzx32k", "lzx2m", "lzms128k", "solid"} {
		path := b.archive(name)
		if err := add("verify natively", name, []contender{
			command("1 thread", wimx, "verify", "--threads=1", path),
			command("2 threads", wimx, "verify", "--threads=2", path),
		}, []contender{
			command("wimlib-imagex verify", "wimlib-imagex", "verify", path),
		}); err != nil {
			return err
		}
	}
	return b.captureNatively(wimx, add)
}

// command returns a contender that runs a program; its memory is the peak of the process.
func command(name, program string, args ...string) contender {
	return contender{name, func(ctx context.Context) (sample, error) {
		c := exec.CommandContext(ctx, program, args...)
		began := time.Now()
		out, err := c.CombinedOutput()
		s := sample{Seconds: time.Since(began).Seconds(), OK: err == nil}
		if err != nil {
			return s, fmt.Errorf("%w\n%s", err, out)
		}
		if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
			s.Memory = usage.Maxrss << 10 // Linux counts KiB
		}
		return s, nil
	}}
}
