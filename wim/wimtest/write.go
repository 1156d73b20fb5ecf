package wimtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Write writes the tree to folder dir, which it creates if necessary. It sets the times of folders last.
func (t *Tree) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, e := range t.Entries {
		p := filepath.Join(dir, filepath.FromSlash(e.Path))
		var err error
		switch e.Kind {
		case Dir:
			err = os.Mkdir(p, 0o755)
		case File:
			err = writeFile(p, e)
		case Hard:
			err = os.Link(filepath.Join(dir, filepath.FromSlash(e.Target)), p)
		case Symlink:
			if err = os.Symlink(e.Target, p); err == nil {
				err = setLinkTime(p, e.Time)
			}
		}
		if err != nil {
			return fmt.Errorf("wimtest: tree %d: %w", t.Seed, err)
		}
	}
	for i := len(t.Entries) - 1; i >= 0; i-- {
		e := t.Entries[i]
		if e.Kind != Dir && e.Kind != File {
			continue
		}
		p := filepath.Join(dir, filepath.FromSlash(e.Path))
		if err := os.Chmod(p, e.Mode); err != nil {
			return err
		}
		if err := os.Chtimes(p, e.Time, e.Time); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(p string, e Entry) error {
	f, err := os.OpenFile(p, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if !e.Sparse {
		if _, err := f.Write(e.Data); err != nil {
			return err
		}
		return f.Close()
	}
	const block = 4096
	zero := make([]byte, block)
	for off := 0; off < len(e.Data); off += block {
		b := e.Data[off:min(off+block, len(e.Data))]
		if bytes.Equal(b, zero[:len(b)]) {
			continue
		}
		if _, err := f.WriteAt(b, int64(off)); err != nil {
			return err
		}
	}
	if err := f.Truncate(int64(len(e.Data))); err != nil {
		return err
	}
	return f.Close()
}
