package wimtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// NTFS is a file that holds an NTFS volume, for capturing what a Linux folder cannot hold: streams, security descriptors, short names,
// all attributes, 100-ns creation times. It is never mounted: ntfs-3g's tools and wimlib's own NTFS support read and write it.
type NTFS string

// NewNTFS creates and formats a volume of mb MiB. 4 is enough for a few hundred small files.
func NewNTFS(file string, mb int) (NTFS, error) {
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	if err := f.Truncate(int64(mb) << 20); err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	_, err = Run(filepath.Dir(file), MkNTFS, "-F", "-Q", "-q", "-L", "wimtest", file)
	return NTFS(file), err
}

// Apply writes an image of an archive to the volume, with wimlib.
func (v NTFS) Apply(archive string, image int, ref string) error {
	args := []string{"apply", archive, fmt.Sprint(image), string(v)}
	if ref != "" {
		args = append(args, "--ref="+ref)
	}
	_, err := Run(filepath.Dir(string(v)), Wimlib, args...)
	return err
}

// Capture captures the volume with wimlib. options are more options of wimlib-imagex.
func (v NTFS) Capture(archive, name string, options ...string) error {
	_, err := Run(filepath.Dir(string(v)), Wimlib, append([]string{"capture", string(v), archive, name}, options...)...)
	return err
}

// Put writes bytes to a stream of a file; stream "" is its content. It creates the file if its folder exists.
func (v NTFS) Put(path, stream string, data []byte) error {
	tmp := string(v) + ".put"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	defer os.Remove(tmp)
	args := []string{"-q", "-f"}
	if stream != "" {
		args = append(args, "-N", stream)
	}
	_, err := Run(filepath.Dir(tmp), NTFSCopy, append(args, string(v), tmp, path)...)
	return err
}

// Fill writes the tree to the volume, through a temporary archive, and adds a few named streams to its files, some with
// unusual names and sizes. The tree should be a Plain one: NTFS forbids some of the odd names.
func (v NTFS) Fill(t *Tree) error {
	dir, err := os.MkdirTemp(filepath.Dir(string(v)), "fill")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tree := filepath.Join(dir, "tree")
	if err := t.Write(tree); err != nil {
		return err
	}
	archive := filepath.Join(dir, "t.wim")
	if _, err := Run(dir, Wimlib, "capture", tree, archive, "--compress=none", "--norpfix"); err != nil {
		return err
	}
	if err := v.Apply(archive, 1, ""); err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(t.Seed, 0x4e544653))
	streams := []struct {
		name string
		size int
	}{{"Zone.Identifier", 26}, {"empty stream", 0}, {"Ünïcode ストリーム", 700}, {"big", 40000}}
	for _, e := range t.Entries {
		if e.Kind != File || r.IntN(4) != 0 {
			continue
		}
		for _, s := range streams[:1+r.IntN(len(streams))] {
			if err := v.Put("/"+e.Path, s.name, Text.Make(r, s.size)); err != nil {
				return err
			}
		}
	}
	return nil
}
