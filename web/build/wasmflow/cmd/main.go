// Command cmd runs the pass of package wasmflow over one file:
//
//	go run ./web/build/wasmflow/cmd in.wasm out.wasm
package main

import (
	"fmt"
	"os"

	"wimscope/web/build/wasmflow"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: cmd in.wasm out.wasm")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "wasmflow:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	in, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	out, stats, err := wasmflow.Transform(in)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	fmt.Fprintf(os.Stderr, "%d bytes to %d: %v\n", len(in), len(out), stats)
	return os.WriteFile(to, out, 0o666)
}
