package windows

import (
	"errors"
	"fmt"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/pe"
)

// KernelVersion returns the version of the kernel, System32\ntoskrnl.exe, in an image, index from 1, and its path. It returns
// format.ErrNotFound if there is no such file or it has no version.
func KernelVersion(a *wim.Archive, index int) (version, path string, err error) {
	im, err := a.Image(index)
	if err != nil {
		return "", "", err
	}
	roots := []string{"/Windows"}
	if r := im.Info().SystemRoot; r != "" {
		roots = append(roots, r)
	}
	v, path, err := imageKernel(a, im, false, roots...)
	if err != nil {
		return "", path, err
	}
	return v.FileVersion, path, nil
}

// imageKernel reads the version resource of the first kernel in some system roots that has a version. If checked is set, it first compares
// the whole file with its hash.
func imageKernel(a *wim.Archive, im *wim.Image, checked bool, roots ...string) (v *pe.Version, path string, err error) {
	for _, root := range roots {
		n, ok := im.Lookup(root + "/System32/ntoskrnl.exe")
		if !ok {
			continue
		}
		if n, ok = im.Resolve(n); !ok || im.IsDir(n) || im.Hash(n).IsZero() {
			continue
		}
		f, err := openWindowsFile(a, im.Hash(n), true, checked)
		if err != nil {
			return nil, im.Path(n), fmt.Errorf("%s: %w", im.Path(n), err)
		}
		v, err := pe.Read(f, f.size)
		if err != nil && !errors.Is(err, pe.ErrNotPE) && !errors.Is(err, pe.ErrShort) {
			return nil, im.Path(n), err
		}
		if err == nil && v.FileVersion != "" {
			return v, im.Path(n), nil
		}
	}
	return nil, "", fmt.Errorf("wim: image %d: kernel with a version: %w", im.Index(), format.ErrNotFound)
}
