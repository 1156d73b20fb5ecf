package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wimscope/e2e/browser"
)

// packing is one way to compress an archive.
type packing struct {
	name    string
	options string   // of protocol.BuildOptions, as JSON
	args    []string // for wimlib-imagex and wimx
}

func packings() []packing {
	var list []packing
	add := func(name, codec string, args ...string) {
		list = append(list, packing{name, codec, args})
	}
	add("none", `codec: "none"`, "--compress=none")
	add("XPRESS 32K", `codec: "XPRESS"`, "--compress=XPRESS")
	add("LZX 32K", `codec: "LZX"`, "--compress=LZX")
	add("LZMS 128K", `codec: "LZMS", chunkSize: 131072`, "--compress=LZMS", "--chunk-size=131072")
	add("solid LZMS", `codec: "LZX", solid: true, solidChunk: 16777216`, "--solid")
	return list
}

// captureInChromium captures a part of the corpus in Chromium with one and with two workers. No peer compresses in a
// browser: one worker takes the peer's place, and the ratio shows how well the work scales. Solid chunks have 16 MiB
// here: with 64 MiB, as natively, the part would be one chunk, compressed by one worker.
func (b *bench) captureInChromium(ctx context.Context, add func(work, archive string, ours, peers []contender) error) error {
	var folder string
	var bytes int64
	drop := func() {}
	defer func() { drop() }()
	for _, p := range packings() {
		for level := 1; level <= 3; level++ {
			if level != 2 && p.args[0] == "--compress=none" {
				continue
			}
			work := fmt.Sprintf("capture in Chromium, %s, level %d", p.name, level)
			if !strings.Contains(work, b.only) {
				continue
			}
			if folder == "" {
				var err error
				if folder, bytes, drop, err = b.part(); err != nil {
					return err
				}
			}
			options := fmt.Sprintf("{ %s, level: %d }", p.options, level)
			with := func(workers int) contender {
				return contender{fmt.Sprintf("%d workers", workers), func(context.Context) (sample, error) { return b.captureOnPage(folder, bytes, options, workers) }}
			}
			if err := add(work, fmt.Sprintf("%d MB", bytes>>20), []contender{with(2)}, []contender{with(1)}); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// captureOnPage captures a folder to an archive in the origin private file system, on a page of its own.
func (b *bench) captureOnPage(folder string, bytes int64, options string, workers int) (s sample, err error) {
	site, err := b.withScripts()
	if err != nil {
		return s, err
	}
	defer os.RemoveAll(site)
	_, _, err = onPage(site, func(p *browser.Page) (float64, int64, error) {
		p.Patience = 30 * time.Minute
		p.Go("/capture.html")
		p.PickFolder(folder)
		time.Sleep(2 * time.Second) // let the browser settle
		return 0, 0, json.Unmarshal(p.Eval(fmt.Sprintf("window.capture(%s, %d)", options, workers)), &s)
	})
	s.Input = bytes
	return s, err
}

// withScripts returns a folder with the built site and the benchmark's pages.
func (b *bench) withScripts() (string, error) {
	site, err := os.MkdirTemp("", "wimscope-bench-site-")
	if err != nil {
		return "", err
	}
	dist, err := filepath.Abs(b.dist)
	if err == nil {
		err = filepath.WalkDir(dist, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return os.Symlink(path, filepath.Join(site, d.Name()))
		})
	}
	for _, name := range []string{"capture.html", "capture.js", "build.js", "engine.js"} {
		var text []byte
		if err == nil {
			text, err = web.ReadFile("web/" + name)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(site, name), text, 0o666)
		}
	}
	return site, err
}

// part returns a folder with a part of the corpus, or with all of it. Files are chosen by the hash of their paths, so
// that the part is the same everywhere. drop removes the copies.
func (b *bench) part() (folder string, total int64, drop func(), err error) {
	corpus := filepath.Join(b.corpus, "files")
	drop = func() {}
	if b.settings.sample == 0 {
		total, err = folderSize(corpus)
		return corpus, total, drop, err
	}
	if folder, err = os.MkdirTemp("", "wimscope-bench-sample-"); err != nil {
		return "", 0, drop, err
	}
	drop = func() { os.RemoveAll(folder) }
	err = filepath.WalkDir(corpus, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(corpus, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		h := fnv.New32a()
		io.WriteString(h, filepath.ToSlash(rel))
		if h.Sum32()%5 != 0 || info.Size() > 8<<20 || total+info.Size() > b.settings.sample {
			return nil
		}
		total += info.Size()
		return copyFile(filepath.Join(folder, rel), path)
	})
	return folder, total, drop, err
}

func copyFile(to, from string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o666)
}

// captureNatively compares wimx with wimlib-imagex by time and by size, over the whole corpus and with the same
// number of threads.
func (b *bench) captureNatively(wimx string, add func(work, archive string, ours, peers []contender) error) error {
	folder, err := os.MkdirTemp("", "wimscope-bench-capture-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	corpus := filepath.Join(b.corpus, "files")
	bytes := int64(-1)
	capture := func(name, program string, threads int, p packing) contender {
		return contender{fmt.Sprintf("%s capture, %d threads", name, threads), func(ctx context.Context) (sample, error) {
			out := filepath.Join(folder, "out.wim")
			args := append([]string{"capture", corpus, out, "corpus", "--no-acls", fmt.Sprintf("--threads=%d", threads)}, p.args...)
			s, err := command("", program, args...).run(ctx)
			if err != nil {
				return s, err
			}
			if s.Written, err = fileSize(out); err != nil {
				return s, err
			}
			if bytes < 0 {
				if bytes, err = folderSize(corpus); err != nil {
					return s, err
				}
			}
			s.Input = bytes
			return s, os.Remove(out)
		}}
	}
	for _, p := range packings() {
		for threads := 1; threads <= 2; threads++ {
			if err := add("capture natively, "+p.name, "corpus", []contender{capture("wimx", wimx, threads, p)},
				[]contender{capture("wimlib-imagex", "wimlib-imagex", threads, p)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func folderSize(path string) (n int64, err error) {
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}
