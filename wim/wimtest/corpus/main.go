// Command corpus collects files of the system that it runs on, for benchmarks, and writes the archives of them that the benchmarks
// compare.
//
//	go run ./wim/wimtest/corpus [-dir .bench] [-only none,many]
//
// The files go to the folder "files" in -dir, and the archives beside it. The corpus is programs, libraries and documentation: at
// least 400 MB in at least 5,000 files, at most 430 MB, chosen in an order that depends only on the system's files. One more
// archive, "many", has 100,000 files in one folder and 1 GB. Existing files and archives are kept, and nothing else in the folder is
// changed.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"wimscope/wim/wimtest"
)

const (
	least      = 400e6
	most       = 430e6
	leastFiles = 5000
	largest    = 36 << 20 // of a file: one huge program must not dominate
)

func main() {
	dir := flag.String("dir", ".bench", "folder for the files and the archives")
	only := flag.String("only", "", "comma-separated names of the archives to write; all if empty")
	flag.Parse()
	files := filepath.Join(*dir, "files")
	err := gather(files)
	if err == nil {
		err = pack(files, *dir, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

// source is a folder of the system and its share of the corpus.
type source struct {
	dir   string
	share float64
}

type candidate struct {
	path string
	size int64
}

// list returns the regular files of a source in the order of their names, except huge and unreadable ones.
func list(dir string) ([]candidate, error) {
	var out []candidate
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if !d.Type().IsRegular() {
			return nil
		}
		fi, err := d.Info()
		if err != nil || fi.Size() > largest {
			return nil
		}
		out = append(out, candidate{p, fi.Size()})
		return nil
	})
	return out, err
}

// gather collects the corpus in dir, unless dir exists. Until it is complete, the folder has another name.
func gather(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	var total int64
	files := 0
	sum := sha256.New()
	take := func(c candidate) error {
		n, err := copyFile(c.path, filepath.Join(part, c.path))
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		total += n
		files++
		fmt.Fprintf(sum, "%s %d\n", c.path, n)
		return nil
	}
	var left []candidate
	for _, s := range []source{{"/usr/share", 0.30}, {"/usr/bin", 0.20}, {"/usr/lib", 0.50}} {
		all, err := list(s.dir)
		if err != nil {
			return err
		}
		var size int64
		for _, c := range all {
			size += c.size
		}
		// Take a constant fraction of the bytes seen so far: files from all of the source, not only the first names.
		budget, want, seen := s.share*least, 0.0, 0.0
		rate := min(1, budget/float64(max(size, 1)))
		for _, c := range all {
			seen += float64(c.size)
			if want+float64(c.size) > seen*rate+float64(largest)/4 || float64(total+c.size) > most {
				left = append(left, c)
				continue
			}
			want += float64(c.size)
			if err := take(c); err != nil {
				return err
			}
		}
	}
	for _, c := range left { // fill up to the minimum
		if float64(total) >= least*1.005 && files >= leastFiles {
			break
		}
		if float64(total+c.size) <= most {
			if err := take(c); err != nil {
				return err
			}
		}
	}
	if float64(total) < least || files < leastFiles {
		return fmt.Errorf("this system has only %d bytes in %d files, want %.0f in %d", total, files, least, leastFiles)
	}
	fmt.Printf("corpus: %.1f MB in %d files, %x\n", float64(total)/1e6, files, sum.Sum(nil)[:6])
	return os.Rename(part, dir)
}

func copyFile(from, to string) (int64, error) {
	src, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return 0, err
	}
	dst, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(dst, src)
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	return n, err
}

// forms are the archives to compare, the fastest first.
var forms = []struct{ name, options string }{
	{"none", "--compress=none"},
	{"xpress", "--compress=XPRESS"},
	{"lzx32k", "--compress=LZX"},
	{"lzx2m", "--compress=LZX:50 --chunk-size=2097152"},
	{"lzms128k", "--compress=LZMS --chunk-size=131072"},
	{"solid", "--solid --compress=LZMS"},
}

// pack writes each archive that does not exist yet.
func pack(dir, archives, only string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for _, f := range forms {
		if only != "" && !strings.Contains(","+only+",", ","+f.name+",") {
			continue
		}
		final := filepath.Join(archives, f.name+".wim")
		if _, err := os.Stat(final); err == nil {
			continue
		}
		if err := capture(abs, archives, f.name, f.options); err != nil {
			return err
		}
		fi, err := os.Stat(final)
		if err != nil {
			return err
		}
		fmt.Printf("corpus: %s: %.1f MB\n", final, float64(fi.Size())/1e6)
	}
	if only != "" && !strings.Contains(","+only+",", ",many,") {
		return nil
	}
	return packMany(archives)
}

// capture writes one archive, whose name ends in ".part" until it is complete.
func capture(tree, archives, name, options string) error {
	part := name + ".part"
	args := append([]string{"capture", tree, part, "corpus", "--no-acls"}, strings.Fields(options)...)
	if _, err := wimtest.Run(archives, wimtest.Wimlib, args...); err != nil {
		os.Remove(filepath.Join(archives, part))
		return err
	}
	return os.Rename(filepath.Join(archives, part), filepath.Join(archives, name+".wim"))
}

// packMany writes the archive for measuring listings: 100,000 small files in the folder /many, and 1 GB of noise.
func packMany(archives string) error {
	if _, err := os.Stat(filepath.Join(archives, "many.wim")); err == nil {
		return nil
	}
	tree, err := os.MkdirTemp(archives, "many-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if tree, err = filepath.Abs(tree); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(tree, "many"), 0o755); err != nil {
		return err
	}
	for i := range 100_000 {
		name := fmt.Sprintf("many/amd64_component-%05d_31bf3856ad364e35_10.0.26100.%d.manifest", i, i%5000)
		if err := os.WriteFile(filepath.Join(tree, name), fmt.Appendf(nil, "entry %d\n", i), 0o644); err != nil {
			return err
		}
	}
	noise := rand.NewChaCha8([32]byte{1})
	for i := range 4 {
		f, err := os.Create(filepath.Join(tree, fmt.Sprintf("noise %d", i)))
		if err != nil {
			return err
		}
		_, err = io.CopyN(f, noise, 256<<20)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	return capture(tree, archives, "many", "--compress=none")
}
