//go:build linux

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wimscope/wim/format"
	"wimscope/wim/wimtest"
)

// deed is a command to interrupt, in a folder with a.wim, b.wim, a split archive q.swm, and a tree.
type deed struct {
	name    string
	args    []string // @ stands for the folder
	target  string   // pattern of the files that it changes or creates
	inPlace bool     // it appends to a.wim, so the old data stay in place
}

func deeds() []deed {
	return []deed{
		{"append", []string{"append", "@/tree", "@/a.wim", "new", "--compress=LZX:20"}, "a.wim", true},
		{"append solid", []string{"append", "@/tree", "@/a.wim", "new", "--solid", "--solid-compress=LZX:20"}, "a.wim", true},
		{"update", []string{"update", "@/a.wim", "1", "--command=add @/tree /x"}, "a.wim", true},
		{"export", []string{"export", "@/b.wim", "1", "@/a.wim", "new"}, "a.wim", true},
		{"split", []string{"split", "@/a.wim", "@/p.swm", "0.5", "--check"}, "p*.swm", false},
		{"split solid", []string{"split", "@/b.wim", "@/p.swm", "0.5"}, "p*.swm", false},
		{"append anew", []string{"append", "@/tree", "@/a.wim", "new", "--rebuild"}, "a.wim", false},
		{"optimize", []string{"optimize", "@/a.wim", "--recompress"}, "a.wim", false},
		{"delete", []string{"delete", "@/a.wim", "1"}, "a.wim", false},
		{"delete, soft", []string{"delete", "@/a.wim", "1", "--soft"}, "a.wim", true},
		{"info", []string{"info", "@/a.wim", "2", "another name", "--boot"}, "a.wim", true},
		{"capture", []string{"capture", "@/tree", "@/a.wim"}, "a.wim", false},
		{"join", []string{"join", "@/new.wim", "@/q*.swm"}, "new.wim", false},
	}
}

// first returns the first file that the deed changes or creates.
func (d deed) first() string { return strings.Replace(d.target, "*", "", 1) }

// killing is a folder whose archives are changed, again and again from the same state, by runs that are killed.
type killing struct {
	dir    string
	wimx   string // the program
	before map[string][]byte
	lists  map[string]string // listings of a.wim and of each deed's target after a complete run
	took   map[string]time.Duration
	grew   map[string]int64
	start  time.Time
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	program, err := exec.LookPath("wimx") // testscript installs this test under that name
	if err != nil {
		t.Fatal(err)
	}
	k := &killing{dir: t.TempDir(), wimx: program, lists: map[string]string{}, took: map[string]time.Duration{}, grew: map[string]int64{}, start: time.Now()}
	at := func(name string) string { return filepath.Join(k.dir, name) }
	for i, name := range []string{"one", "two", "tree"} {
		r := newRand(uint64(20 + i))
		if err := os.Mkdir(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
		for n := range 9 {
			if err := os.WriteFile(at(fmt.Sprintf("%s/%d", name, n)), wimtest.Content(n%6).Make(r, 1000+r.IntN(400<<10)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := steadyTimes(k.dir); err != nil {
		t.Fatal(err)
	}
	mustWimx(t, "capture", at("one"), at("a.wim"), "one", "--compress=LZX:20", "--check")
	mustWimx(t, "append", at("two"), at("a.wim"), "two")
	mustWimx(t, "capture", at("two"), at("b.wim"), "b", "--solid", "--solid-compress=XPRESS:20")
	mustWimx(t, "split", at("a.wim"), at("q.swm"), "0.9")
	for _, name := range []string{"one", "two"} {
		if err := os.RemoveAll(at(name)); err != nil {
			t.Fatal(err)
		}
	}
	k.before = k.files(t)
	if k.before["q2.swm"] == nil {
		t.Fatal("the split archive has one part")
	}
	k.lists[""] = k.list(t, at("a.wim"))
	for _, d := range deeds() {
		size := k.size()
		start := time.Now()
		if out, err := k.command(d).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", d.name, err, out)
		}
		k.took[d.name], k.grew[d.name] = time.Since(start), k.size()-size
		k.lists[d.name] = k.list(t, k.targets(t, d)[0])
		k.restore(t)
	}
	return k
}

func (k *killing) command(d deed) *exec.Cmd {
	var args []string
	for _, a := range d.args {
		a = strings.ReplaceAll(a, "@", k.dir)
		if names, err := filepath.Glob(a); err == nil && len(names) > 1 {
			args = append(args, names...)
		} else {
			args = append(args, a)
		}
	}
	return exec.Command(k.wimx, args...)
}

// files reads all files beside the tree.
func (k *killing) files(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	names, err := filepath.Glob(filepath.Join(k.dir, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range names {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(p)] = b
	}
	return all
}

// restore restores the initial files.
func (k *killing) restore(t *testing.T) {
	t.Helper()
	for name, b := range k.files(t) {
		p := filepath.Join(k.dir, name)
		want, ok := k.before[name]
		var err error
		switch {
		case !ok:
			err = os.Remove(p)
		case !bytes.Equal(b, want):
			err = os.WriteFile(p, want, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// size returns the total size of all files.
func (k *killing) size() (n int64) {
	list, err := os.ReadDir(k.dir)
	if err != nil {
		return 0
	}
	for _, e := range list {
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() {
			n += fi.Size()
		}
	}
	return n
}

// targets returns the files that a deed has changed or created, by name.
func (k *killing) targets(t *testing.T, d deed) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(k.dir, d.target))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// list lists all images of an archive, whose parts it finds by name, and verifies every byte.
func (k *killing) list(t *testing.T, name string) string {
	t.Helper()
	stem := strings.TrimSuffix(name, ".swm")
	var ref []string
	if stem != name {
		ref = []string{"--ref=" + stem + "*.swm"}
	}
	if out, errs, code := wimx("", append([]string{"verify", name}, ref...)...); code != 0 {
		t.Fatalf("wimx verify: status %d\n%s%s", code, out, errs)
	}
	return entryFacts(mustWimx(t, append([]string{"dir", name, "all", "--detailed"}, ref...)...), k.start)
}

// cut starts a deed and sends it a signal at a moment that r chooses: after some time, when the files have grown by some
// amount, or when the target has been replaced. It returns what happened.
func (k *killing) cut(t *testing.T, d deed, sig syscall.Signal, r *rand.Rand) (state *os.ProcessState, when string) {
	t.Helper()
	size := k.size()
	header := func() []byte {
		f, err := os.Open(filepath.Join(k.dir, d.first()))
		if err != nil {
			return nil
		}
		defer f.Close()
		b := make([]byte, format.HeaderSize)
		f.ReadAt(b, 0)
		return b
	}
	old := header()
	cmd := k.command(d)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	wait := func(step time.Duration, until func() bool) {
		for !until() {
			select {
			case <-ended:
				return
			case <-time.After(step):
			}
		}
	}
	switch r.IntN(5) {
	case 0, 1:
		after := time.Duration(r.Int64N(int64(k.took[d.name]) + 1))
		when = fmt.Sprintf("after %v of %v", after, k.took[d.name])
		wait(100*time.Microsecond, func() bool { return time.Since(start) >= after })
	case 2, 3:
		// A rewrite makes the folder larger by the whole new file before it replaces the old one.
		to := r.Int64N(max(k.grew[d.name], int64(len(k.before["a.wim"]))/2, 1))
		when = fmt.Sprintf("when %d bytes were written", to)
		wait(50*time.Microsecond, func() bool { return k.size()-size > to })
	default:
		when = "when the archive was another one"
		wait(50*time.Microsecond, func() bool { return !bytes.Equal(header(), old) })
	}
	if err := cmd.Process.Signal(sig); err != nil && err != os.ErrProcessDone {
		t.Fatal(err)
	}
	<-ended
	return cmd.ProcessState, when
}

// check checks the state after a killed run: nothing is lost, and all leftovers can be recognized. rest reports whether there
// may be leftovers.
func (k *killing) check(t *testing.T, d deed, rest bool) {
	t.Helper()
	after := k.files(t)
	changed := func(name string) bool {
		ok, err := filepath.Match(d.target, name)
		return ok && err == nil
	}
	for name, old := range k.before {
		b, ok := after[name]
		switch {
		case !ok:
			t.Fatalf("%s is gone", name)
		case bytes.Equal(b, old):
		case !changed(name):
			t.Fatalf("%s is another one", name)
		default:
			k.checkChanged(t, d, name, old, b, rest)
		}
	}
	var left []string
	parts := 0
	for name := range after {
		_, there := k.before[name]
		switch base, mark, temp := strings.Cut(name, tempMark); {
		case there:
		case temp && changed(base) && strings.HasSuffix(mark, ".tmp") && rest:
			left = append(left, name)
			k.checkTemp(t, name)
		case !temp && changed(name):
			parts++
		default:
			t.Fatalf("%s was left behind", name)
		}
	}
	if parts > 0 { // complete: all of them, or those that were renamed
		first := filepath.Join(k.dir, d.first())
		args := []string{"verify", first}
		if strings.Contains(d.target, "*") {
			args = append(args, "--ref="+filepath.Join(k.dir, d.target))
		}
		switch out, errs, code := wimx("", args...); {
		case code == 0 && k.list(t, first) != k.lists[d.name]:
			t.Fatalf("%s is another one than it should be", first)
		case code != 0 && !(rest && len(left) > 0 && code == exitMissingContent):
			t.Fatalf("of %d parts: status %d\n%s%s", parts, code, out, errs)
		}
	}
	if !rest {
		return
	}
	// A second run succeeds, and reports the leftovers. A deed that changes an archive is run again only if it was not done.
	if l := k.list(t, filepath.Join(k.dir, "a.wim")); l != k.lists[""] && d.target == "a.wim" {
		return
	}
	out, err := k.command(d).CombinedOutput()
	if err != nil {
		t.Fatalf("done again: %v\n%s", err, out)
	}
	for _, name := range left {
		if !bytes.Contains(out, []byte(name)) {
			t.Fatalf("run again, it does not report %s:\n%s", name, out)
		}
	}
	if l := k.list(t, k.targets(t, d)[0]); l != k.lists[d.name] {
		t.Fatal("done again, it makes something else")
	}
}

// checkChanged checks an archive that was being changed: it is the old one, perhaps with trailing bytes, or the new one.
func (k *killing) checkChanged(t *testing.T, d deed, name string, old, b []byte, rest bool) {
	t.Helper()
	p := filepath.Join(k.dir, name)
	same := len(b) >= format.HeaderSize && bytes.Equal(b[:format.HeaderSize], old[:format.HeaderSize])
	if d.inPlace && (len(b) < len(old) || !bytes.Equal(b[format.HeaderSize:len(old)], old[format.HeaderSize:])) {
		t.Fatalf("%s: what was there is not there: %d bytes, before %d", name, len(b), len(old))
	}
	want := d.name
	if same {
		want = ""
		if !d.inPlace || !rest {
			t.Fatalf("%s has %d bytes, before %d", name, len(b), len(old))
		}
	}
	if l := k.list(t, p); l != k.lists[want] {
		t.Fatalf("%s is neither the old nor the new one:\n%s\nwant\n%s", name, l, k.lists[want])
	}
	if _, err := wimtest.Run("", wimtest.Wimlib, "verify", p); err != nil {
		t.Fatal(err)
	}
	if !same {
		return
	}
	for _, verb := range []string{"info", "verify"} {
		if _, errs, code := wimx("", verb, p); code != 0 || !strings.Contains(errs, fmt.Sprintf("the last %d bytes", len(b)-len(old))) || !strings.Contains(errs, "interrupted") {
			t.Fatalf("wimx %s does not report %d bytes behind the archive: status %d\n%s", verb, len(b)-len(old), code, errs)
		}
	}
}

// checkTemp checks a file that was not yet renamed: it is complete, or recognized as unfinished.
func (k *killing) checkTemp(t *testing.T, name string) {
	t.Helper()
	p := filepath.Join(k.dir, name)
	for _, verb := range []string{"info", "verify"} {
		_, errs, code := wimx("", verb, p)
		reported := code == 0 || code == exitTruncated && strings.Contains(errs, name)
		if b, err := os.ReadFile(p); err == nil && len(b) == 0 {
			reported = code == exitNotWIM
		}
		// A complete part waits for the others.
		reported = reported || code == exitNotFirstPart || code == exitMissingContent
		if !reported {
			t.Fatalf("wimx %s %s: status %d\n%s", verb, name, code, errs)
		}
	}
}

// TestKilled kills runs at random moments: no existing archive loses anything, leftovers are recognized, and the same command
// succeeds afterwards. Runs that end before the signal do not count.
func TestKilled(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	want, first := 25, uint64(0)
	if os.Getenv("WIMSCOPE_CAMPAIGN") != "" {
		want, first = 1000, 6000
	}
	k := newKilling(t)
	ds := deeds()
	killed, seed := 0, first
	for ; killed < want; seed++ {
		d := ds[seed%uint64(len(ds))]
		t.Run(fmt.Sprintf("%d %s", seed, d.name), func(t *testing.T) {
			state, when := k.cut(t, d, syscall.SIGKILL, newRand(seed))
			if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
				killed++
			}
			t.Log(when, state)
			k.check(t, d, true)
			k.restore(t)
		})
		if t.Failed() {
			t.FailNow() // leave its folder as it is
		}
		if seed-first > uint64(4*want) {
			t.Fatalf("only %d of %d runs were killed before they ended", killed, seed-first)
		}
	}
	t.Logf("%d of %d runs were killed before they ended", killed, seed-first)
}

// TestInterrupted sends runs the signal of Ctrl-C: there are no leftovers, and the old files are unchanged byte for byte
// unless the run had finished.
func TestInterrupted(t *testing.T) {
	n, first := uint64(26), uint64(0)
	if os.Getenv("WIMSCOPE_CAMPAIGN") != "" {
		n, first = 300, 8000
	}
	k := newKilling(t)
	ds := deeds()
	cut := uint64(0)
	for seed := first; seed < first+n; seed++ {
		d := ds[seed%uint64(len(ds))]
		t.Run(fmt.Sprintf("%d %s", seed, d.name), func(t *testing.T) {
			sig := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[seed/uint64(len(ds))%2]
			state, when := k.cut(t, d, sig, newRand(seed))
			t.Log(when, state)
			// A signal before the handler is installed ends the program as usual.
			ws, ok := state.Sys().(syscall.WaitStatus)
			early := ok && ws.Signaled() && ws.Signal() == sig
			if code := state.ExitCode(); code == exitInterrupted {
				cut++
			} else if code != 0 && !early {
				t.Errorf("%s: status %d", when, code)
			}
			k.check(t, d, false)
			k.restore(t)
		})
		if t.Failed() {
			t.FailNow()
		}
	}
	if cut < n/5 {
		t.Errorf("only %d of %d runs were interrupted before they ended", cut, n)
	}
	t.Logf("%d of %d runs were interrupted before they ended", cut, n)
}
