// Command builder is the workers' program that builds archives. It also does all that the reading program does. A page
// loads it when it first builds something.
package main

import (
	"io/fs"

	"wimscope/wasm/engine/build"
	"wimscope/wasm/fsa"
	"wimscope/wasm/program"
)

func main() {
	program.Serve(build.New(build.Options{Options: program.Options(), OpenSource: openSource, Join: join}))
}

func openSource(handle any) (fs.FS, error) {
	v, err := program.FolderHandle(handle)
	if err != nil {
		return nil, err
	}
	return fsa.NewSource(v), nil
}

func join(ranges []build.FileRange) (any, error) {
	list := make([]fsa.Range, len(ranges))
	for i, r := range ranges {
		list[i] = fsa.Range(r)
	}
	return fsa.Join(list)
}
