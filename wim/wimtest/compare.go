package wimtest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Fact is what a comparison knows about one path.
type Fact struct {
	Type   string      // "dir", "file", "link", or the mode's type letters for anything else
	Mode   fs.FileMode // permission bits, set-id and sticky ones included
	Size   int64
	Sum    [32]byte // SHA-256 of the bytes
	Target string
	Time   time.Time
	Links  string // the first path with the same inode; "" if there is no other
	UID    int
	GID    int
	Xattrs []string
	data   func() (io.ReadCloser, error)
}

// Snapshot holds the facts of all paths of a tree: relative paths with slashes; the top is ".".
type Snapshot map[string]*Fact

// Snap reads a folder. It does not follow symbolic links.
func Snap(dir string) (Snapshot, error) {
	s := Snapshot{}
	groups := map[[2]uint64]string{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := os.Lstat(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		f := &Fact{Mode: fi.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky), Time: fi.ModTime()}
		id, links, uid, gid := inode(fi)
		f.UID, f.GID = uid, gid
		switch {
		case fi.IsDir():
			f.Type = "dir"
			f.Xattrs = xattrs(p)
		case fi.Mode()&fs.ModeSymlink != 0:
			f.Type = "link"
			if f.Target, err = os.Readlink(p); err != nil {
				return err
			}
		case fi.Mode().IsRegular():
			f.Type = "file"
			f.Size = fi.Size()
			f.data = func() (io.ReadCloser, error) { return os.Open(p) }
			if f.Sum, err = sum(f.data); err != nil {
				return err
			}
			f.Xattrs = xattrs(p)
		default:
			f.Type = fi.Mode().Type().String()
		}
		if !fi.IsDir() && links > 1 {
			if first, ok := groups[id]; ok {
				f.Links = first
				s[first].Links = first
			} else {
				groups[id] = rel
			}
		}
		s[rel] = f
		return nil
	})
	return s, err
}

// SnapFS reads any file system, such as an open ZIP: names, types, permission bits, bytes and times.
func SnapFS(fsys fs.FS) (Snapshot, error) {
	s := Snapshot{}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		f := &Fact{Mode: fi.Mode().Perm(), Time: fi.ModTime()}
		switch {
		case fi.IsDir():
			f.Type = "dir"
		case fi.Mode()&fs.ModeSymlink != 0:
			f.Type = "link"
			if rl, ok := fsys.(fs.ReadLinkFS); ok {
				if f.Target, err = rl.ReadLink(p); err != nil {
					return err
				}
			} else if b, err := fs.ReadFile(fsys, p); err == nil {
				f.Target = string(b)
			}
		default:
			f.Type = "file"
			f.Size = fi.Size()
			f.data = func() (io.ReadCloser, error) { return fsys.Open(p) }
			if f.Sum, err = sum(f.data); err != nil {
				return err
			}
		}
		s[p] = f
		return nil
	})
	return s, err
}

func sum(open func() (io.ReadCloser, error)) (out [32]byte, err error) {
	r, err := open()
	if err != nil {
		return out, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return out, err
	}
	return [32]byte(h.Sum(nil)), nil
}

// Aspect is a set of what a comparison checks besides paths, types, bytes and link targets.
type Aspect int

const (
	Times  Aspect = 1 << iota // modification times to 100 ns
	Groups                    // which names are hard links of each other
	Modes                     // permission bits
	Owners                    // numeric user and group
	Xattrs                    // extended attributes
	NoRoot                    // ignore the top folder itself

	Usual = Times | Groups
	Unix  = Times | Groups | Modes | Owners | Xattrs
)

// Diff returns the differences between want and got, one line each, sorted by path, or nil.
func Diff(want, got Snapshot, look Aspect) []string {
	var out []string
	paths := make([]string, 0, len(want))
	for p := range want {
		paths = append(paths, p)
	}
	for p := range got {
		if want[p] == nil {
			paths = append(paths, p)
		}
	}
	sort.Strings(paths)
	for _, p := range paths {
		w, g := want[p], got[p]
		report := func(format string, args ...any) {
			out = append(out, fmt.Sprintf("%q: ", p)+fmt.Sprintf(format, args...))
		}
		switch {
		case p == "." && look&NoRoot != 0:
			continue
		case g == nil:
			report("missing (want a %s)", w.Type)
			continue
		case w == nil:
			report("should not be there (a %s)", g.Type)
			continue
		case w.Type != g.Type:
			report("is a %s, want a %s", g.Type, w.Type)
			continue
		}
		if w.Size != g.Size {
			report("%d bytes, want %d", g.Size, w.Size)
		} else if w.Sum != g.Sum {
			report("bytes differ %s", firstDifference(w, g))
		}
		if w.Target != g.Target {
			report("leads to %q, want %q", g.Target, w.Target)
		}
		if look&Times != 0 && w.Time.UnixNano()/100 != g.Time.UnixNano()/100 {
			report("modified %s, want %s", g.Time.UTC().Format(stamp), w.Time.UTC().Format(stamp))
		}
		if look&Groups != 0 && w.Links != g.Links {
			report("shares its inode with %q, want %q", g.Links, w.Links)
		}
		if look&Modes != 0 && w.Mode != g.Mode && w.Type != "link" {
			report("mode %v, want %v", g.Mode, w.Mode)
		}
		if look&Owners != 0 && (w.UID != g.UID || w.GID != g.GID) {
			report("owner %d:%d, want %d:%d", g.UID, g.GID, w.UID, w.GID)
		}
		if look&Xattrs != 0 && strings.Join(w.Xattrs, "\x00") != strings.Join(g.Xattrs, "\x00") {
			report("extended attributes %q, want %q", g.Xattrs, w.Xattrs)
		}
	}
	return out
}

const stamp = "2006-01-02 15:04:05.0000000"

// firstDifference reports where two contents of the same size begin to differ.
func firstDifference(w, g *Fact) string {
	if w.data == nil || g.data == nil {
		return ""
	}
	a, err := w.data()
	if err != nil {
		return err.Error()
	}
	defer a.Close()
	b, err := g.data()
	if err != nil {
		return err.Error()
	}
	defer b.Close()
	x, y := make([]byte, 65536), make([]byte, 65536)
	for off := int64(0); ; {
		n, err := io.ReadFull(a, x)
		m, _ := io.ReadFull(b, y)
		for i := range min(n, m) {
			if x[i] != y[i] {
				return fmt.Sprintf("from byte %#x: %#02x, want %#02x", off+int64(i), y[i], x[i])
			}
		}
		if off += int64(n); err != nil {
			return "somewhere"
		}
	}
}
