//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wimscope/wim/wimtest"
)

// sequence is a random series of changes of two archives, a.wim and b.wim, made by both programs in parallel, in the folders
// ours and theirs.
type sequence struct {
	r     *rand.Rand
	sides [2]string // ours, theirs
	trees []string
	start time.Time
	names int      // images that got a name
	log   []string // all commands so far
}

// peerState is the state of an archive as reported by wimlib.
type peerState struct {
	names   []string
	boot    bool
	solid   bool // one of them is solid: wimx keeps solid resources in more cases
	pipable bool
}

// TestSequences runs random sequences of operations with wimx and wimlib-imagex. After each step it compares the archives, as
// reported by both programs.
func TestSequences(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	n, first := uint64(6), uint64(0)
	if os.Getenv("WIMSCOPE_CAMPAIGN") != "" {
		n, first = 300, 4000
	}
	top := t.TempDir()
	var trees []string
	for seed := range uint64(8) {
		p := filepath.Join(top, fmt.Sprint("tree", seed))
		o := &wimtest.TreeOptions{Plain: seed%2 == 0}
		tree := wimtest.Random(seed/2+900, o)
		if seed%2 == 1 {
			tree = wimtest.Random(seed/2+900, o).Half() // much of it is the same as in the previous tree
		}
		if err := tree.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := unixFacts(p, tree); err != nil {
			t.Fatal(err)
		}
		trees = append(trees, p)
	}
	if err := steadyTimes(top); err != nil {
		t.Fatal(err)
	}
	for seed := first; seed < first+n; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := &sequence{r: newRand(seed), trees: trees, start: time.Now()}
			for k, side := range []string{"ours", "theirs"} {
				s.sides[k] = filepath.Join(dir, side)
				if err := os.Mkdir(s.sides[k], 0o755); err != nil {
					t.Fatal(err)
				}
			}
			for step := range 10 {
				if err := s.step(step); err != nil {
					t.Fatalf("seed %d, step %d: %v\nafter\n\t%s", seed, step, err, strings.Join(s.log, "\n\t"))
				}
			}
		})
	}
}

// step runs one random operation.
func (s *sequence) step(n int) error {
	switch n {
	case 0:
		return s.capture("a.wim")
	case 1:
		return s.capture("b.wim")
	}
	name := s.one("a.wim", "a.wim", "b.wim")
	st, err := s.state(name)
	if err != nil {
		return err
	}
	ops := []func(string, *peerState) error{s.append, s.append, s.update, s.update, s.update, s.export, s.export, s.optimize, s.optimize, s.splitAndJoin, s.info, s.info, s.refusal}
	if len(st.names) > 1 {
		ops = append(ops, s.delete, s.delete)
	}
	if len(st.names) > 4 {
		ops = ops[len(ops)-2:]
	}
	return ops[s.r.IntN(len(ops))](name, st)
}

func (s *sequence) one(list ...string) string { return list[s.r.IntN(len(list))] }

// may returns the options with a probability of one in n.
func (s *sequence) may(n int, options ...string) []string {
	if s.r.IntN(n) == 0 {
		return options
	}
	return nil
}

// newName returns a name that no image has.
func (s *sequence) newName() string {
	s.names++
	return fmt.Sprintf("%s %d", s.one("image", "Ünïcode & <x>", `"quoted"`, "a  b"), s.names)
}

// image returns an index or name of an image.
func (s *sequence) image(st *peerState) string {
	i := s.r.IntN(len(st.names))
	if name := st.names[i]; s.r.IntN(3) == 0 && name != "" {
		return name
	}
	return strconv.Itoa(i + 1)
}

// packing returns options for repacking an archive.
func (s *sequence) packing() []string {
	fs := forms()
	f := fs[s.r.IntN(len(fs))]
	for f.chunk > 4<<20 {
		f = fs[s.r.IntN(len(fs))]
	}
	return f.options(20, false)
}

func (s *sequence) capture(name string) error {
	args := append([]string{"capture", s.tree(), "@/" + name, s.newName()}, s.packing()...)
	args = append(args, s.scanOptions()...)
	return s.both(name, "", append(args, s.may(2, "--check")...)...)
}

func (s *sequence) tree() string { return s.trees[s.r.IntN(len(s.trees))] }

func (s *sequence) scanOptions() (args []string) {
	args = append(args, s.may(2, "--unix-data")...)
	args = append(args, s.may(3, "--norpfix")...)
	args = append(args, s.may(4, "--boot")...)
	args = append(args, s.may(5, "--flags=Professional")...)
	return append(args, s.may(5, "--image-property=WINDOWS/SYSTEMROOT=WINDOWS "+strconv.Itoa(s.names))...)
}

func (s *sequence) append(name string, st *peerState) error {
	args := []string{"append", s.tree(), "@/" + name}
	if s.r.IntN(4) > 0 {
		args = append(args, s.newName())
		args = append(args, s.may(2, "words about it")...)
	}
	args = append(args, s.scanOptions()...)
	args = append(args, s.may(4, "--update-of="+s.image(st))...)
	if !st.pipable {
		args = append(args, s.may(4, "--solid", "--solid-chunk-size=512K")...)
	}
	return s.both(name, "", append(args, s.manner(st)...)...)
}

// manner returns options for how an archive is changed.
func (s *sequence) manner(st *peerState) (args []string) {
	args = append(args, s.may(4, s.one("--check", "--nocheck"))...)
	if s.r.IntN(4) == 0 && !st.pipable {
		args = append(args, s.one("--rebuild", "--unsafe-compact"))
	}
	return args
}

func (s *sequence) update(name string, st *peerState) error {
	image := s.image(st)
	list, err := wimtest.Run("", wimtest.Wimlib, "dir", filepath.Join(s.sides[1], name), image)
	if err != nil {
		return err
	}
	// Names with line breaks cannot be used in commands. The root has no name.
	paths := slices.DeleteFunc(strings.Split(string(list), "\n"), func(p string) bool {
		return len(p) < 2 || p[0] != '/' || strings.ContainsAny(p, "\"\t\\")
	})
	path := func() string {
		if len(paths) == 0 {
			return "/no such file"
		}
		return `"` + paths[s.r.IntN(len(paths))] + `"`
	}
	var commands []string
	trees := slices.Clone(s.trees) // each once: wimlib makes hard links of files that are added twice
	for range 1 + s.r.IntN(4) {
		k := s.r.IntN(len(trees))
		switch s.r.IntN(5) {
		case 0:
			commands = append(commands, "delete --force --recursive "+path())
		case 1:
			commands = append(commands, fmt.Sprintf("rename %s /renamed%d", path(), s.r.IntN(1000)))
		case 2:
			commands = append(commands, fmt.Sprintf("add %s %s", trees[k], s.one("/new", "/new/deep er", "/folder")))
			trees = slices.Delete(trees, k, k+1)
		case 3:
			commands = append(commands, fmt.Sprintf("add --unix-data %s %s", trees[k], s.one("/", "/u1", "/u2")))
			trees = slices.Delete(trees, k, k+1)
		default:
			commands = append(commands, "# a comment", fmt.Sprintf("add '%s/a pipe' %s --unix-data", trees[k], s.one("/pipe", "'/a folder/pipe'")))
			trees = slices.Delete(trees, k, k+1)
		}
	}
	args := append([]string{"update", "@/" + name, image}, s.may(4, "--check")...)
	if !st.pipable {
		args = append(args, s.may(4, s.one("--rebuild", "--unsafe-compact"))...)
	}
	return s.either(name, strings.Join(commands, "\n")+"\n", args...)
}

func (s *sequence) delete(name string, st *peerState) error {
	args := []string{"delete", "@/" + name, s.image(st)}
	if !st.pipable {
		args = append(args, s.may(3, s.one("--soft", "--unsafe-compact"))...)
	}
	return s.both(name, "", append(args, s.may(4, "--check")...)...)
}

func (s *sequence) export(name string, st *peerState) error {
	other := map[string]string{"a.wim": "b.wim", "b.wim": "a.wim"}[name]
	if s.r.IntN(2) == 0 { // to a new archive, which replaces the other one
		if err := s.remove(other); err != nil {
			return err
		}
		args := []string{"export", "@/" + name, s.image(st), "@/" + other}
		if s.r.IntN(2) == 0 {
			args[2] = "all"
		} else {
			args = append(args, s.may(2, s.newName(), "described")...)
		}
		if s.r.IntN(3) > 0 {
			args = append(args, s.packing()...)
		}
		args = append(args, s.may(4, "--recompress")...)
		if st.boot || args[2] != "all" {
			args = append(args, s.may(4, "--boot")...)
		}
		return s.both(other, "", append(args, s.may(3, "--check")...)...)
	}
	to, err := s.state(other)
	if err != nil {
		return err
	}
	args := []string{"export", "@/" + name, s.image(st), "@/" + other, s.newName()}
	args = append(args, s.may(4, "--boot")...)
	if !to.pipable {
		args = append(args, s.may(5, "--solid", "--solid-chunk-size=512K")...)
	}
	return s.both(other, "", append(args, s.manner(to)...)...)
}

func (s *sequence) optimize(name string, st *peerState) error {
	args := []string{"optimize", "@/" + name}
	switch s.r.IntN(4) {
	case 0:
	case 1:
		args = append(args, "--recompress")
	case 2:
		if !st.pipable {
			args = append(args, "--unsafe-compact")
		}
	default:
		pack := s.packing()
		if !slices.Contains(pack, "--pipable") {
			pack = append(pack, "--not-pipable")
		}
		args = append(args, pack...)
	}
	return s.both(name, "", append(args, s.may(4, s.one("--check", "--nocheck"))...)...)
}

// splitAndJoin splits an archive, compares the sets, and joins the parts again.
func (s *sequence) splitAndJoin(name string, st *peerState) error {
	if st.pipable || st.solid { // only wimx supports that
		args := []string{"optimize", "@/" + name, "--compress=LZX:20", "--not-pipable"}
		if err := s.both(name, "", args...); err != nil {
			return err
		}
	}
	check := s.may(2, "--check")
	args := append([]string{"split", "@/" + name, "@/part.swm", s.one("0.05", "0.2", "1", "100")}, check...)
	if err := s.run(0, "", append(args, "--force")...); err != nil { // wimlib makes larger parts without --force
		return err
	}
	if err := s.run(1, "", args...); err != nil {
		return err
	}
	s.record(args...)
	if err := s.compare("part.swm", "--ref=@/part*.swm"); err != nil {
		return err
	}
	join := append([]string{"join", "@/" + name}, s.may(2, "--check")...)
	for k, dir := range s.sides {
		parts, err := filepath.Glob(filepath.Join(dir, "part*.swm"))
		if err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
		if err := s.run(k, "", append(slices.Clone(join), parts...)...); err != nil {
			return err
		}
		for _, p := range parts {
			if err := os.Remove(p); err != nil {
				return err
			}
		}
	}
	s.record(join...)
	return s.compare(name)
}

func (s *sequence) info(name string, st *peerState) error {
	args := []string{"info", "@/" + name}
	switch s.r.IntN(4) {
	case 0:
		args = append(args, s.image(st), s.newName())
		args = append(args, s.may(2, "other words")...)
	case 1:
		args = append(args, s.image(st), "--boot")
	case 2:
		args = append(args, s.image(st), "--image-property="+s.one("FLAGS=Core", "DISPLAYNAME=shown", "WINDOWS/LANGUAGES/LANGUAGE=de", "WINDOWS/LANGUAGES/LANGUAGE[2]=fr", "DESCRIPTION="))
	}
	return s.either(name, "", append(args, s.may(2, s.one("--check", "--nocheck"))...)...)
}

// refusal runs a command that both programs refuse: the archives stay unchanged.
func (s *sequence) refusal(name string, st *peerState) error {
	k := s.r.IntN(len(st.names)) + 1
	input := ""
	var args []string
	switch s.r.IntN(6) {
	case 0:
		args = []string{"append", s.tree(), "@/" + name, st.names[k-1]}
	case 1:
		args = []string{"delete", "@/" + name, "99"}
	case 2:
		args = []string{"info", "@/" + name, "no such image", "name"}
	case 3:
		args, input = []string{"update", "@/" + name, strconv.Itoa(k)}, "delete '/no such file'\n"
	case 4:
		args, input = []string{"update", "@/" + name, strconv.Itoa(k)}, "rename '/no such file' /x\n"
	default:
		args = []string{"export", "@/" + name, strconv.Itoa(k), "@/" + name}
	}
	return s.neither(name, input, args...)
}

// inSide inserts a side's folder into arguments.
func inSide(dir, text string) string { return strings.ReplaceAll(text, "@/", dir+"/") }

// record adds a line to the log.
func (s *sequence) record(args ...string) {
	s.log = append(s.log, fmt.Sprintf("%q", args))
}

// runCode runs a command with one program, of which 0 is wimx, and returns its exit status.
func (s *sequence) runCode(side int, input string, args ...string) (code int, out, errs string) {
	args = slices.Clone(args)
	for i := range args {
		args[i] = inSide(s.sides[side], args[i])
	}
	if side == 0 {
		out, errs, code = wimxInput(input, args...)
		return code, out, errs
	}
	cmd := exec.CommandContext(context.Background(), wimtest.Wimlib, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return -1, "", err.Error()
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

func (s *sequence) run(side int, input string, args ...string) error {
	_, err := s.output(side, input, args...)
	return err
}

// output is run that returns standard output, without the number of folders, see steadyInfo: compare counts them.
func (s *sequence) output(side int, input string, args ...string) (string, error) {
	code, out, errs := s.runCode(side, input, args...)
	if code != 0 {
		return "", fmt.Errorf("%s %q < %q: status %d\n%s%s", [2]string{"wimx", "wimlib-imagex"}[side], args, input, code, out, errs)
	}
	out = withoutLines(out, []string{"Directory Count:"})
	return steadyOutput(strings.ReplaceAll(out, s.sides[side], "@")), nil
}

// both runs a command with both programs, and compares the output and the resulting archives.
func (s *sequence) both(name, input string, args ...string) error {
	s.record(append(args, strings.Split(input, "\n")...)...)
	var said [2]string
	for side := range s.sides {
		var err error
		if said[side], err = s.output(side, input, args...); err != nil {
			return err
		}
	}
	if d := firstLine(said[1], said[0]); d != "" {
		return fmt.Errorf("standard output: %s", d)
	}
	return s.compare(name)
}

// either is both if one of them succeeds; otherwise neither may change anything.
func (s *sequence) either(name, input string, args ...string) error {
	probe := filepath.Join(s.sides[1], name)
	before, err := os.ReadFile(probe)
	if err != nil {
		return err
	}
	code, _, _ := s.runCode(1, input, args...)
	if err := os.WriteFile(probe, before, 0o644); err != nil {
		return err
	}
	if code != 0 {
		return s.neither(name, input, args...)
	}
	return s.both(name, input, args...)
}

func (s *sequence) neither(name, input string, args ...string) error {
	s.record(append(args, strings.Split(input, "\n")...)...)
	var codes [2]int
	for side, dir := range s.sides {
		file := filepath.Join(dir, name)
		before, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var errs string
		if codes[side], _, errs = s.runCode(side, input, args...); codes[side] == 0 {
			return fmt.Errorf("side %d: %q < %q is not refused\n%s", side, args, input, errs)
		}
		after, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if side == 0 && !bytes.Equal(before, after) {
			return fmt.Errorf("%q was refused, and the archive is another one", args)
		}
		if err := os.WriteFile(file, before, 0o644); err != nil {
			return err
		}
	}
	if codes[0] != codes[1] {
		return fmt.Errorf("%q < %q: status %d, of wimlib-imagex %d", args, input, codes[0], codes[1])
	}
	return nil
}

func (s *sequence) remove(name string) error {
	for _, dir := range s.sides {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// state returns wimlib's view of its archive.
func (s *sequence) state(name string) (*peerState, error) {
	out, err := wimtest.Run("", wimtest.Wimlib, "info", filepath.Join(s.sides[1], name))
	if err != nil {
		return nil, err
	}
	st := &peerState{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimLeft(value, " ")
		switch key {
		case "Name":
			st.names = append(st.names, value)
		case "Boot Index":
			st.boot = value != "0"
		case "Attributes":
			st.pipable = strings.Contains(value, "Pipable")
		}
	}
	for _, dir := range s.sides {
		blobs, err := wimtest.Run("", wimtest.Wimlib, "info", filepath.Join(dir, name), "--blobs")
		if err != nil {
			return nil, err
		}
		st.solid = st.solid || bytes.Contains(blobs, []byte("RESHDR_FLAG_SOLID"))
	}
	if len(st.names) == 0 {
		return nil, fmt.Errorf("%s has no images", name)
	}
	return st, nil
}

// compare compares an archive of both sides: both programs find both good, and wimlib reports the same about them and each
// image.
func (s *sequence) compare(name string, more ...string) error {
	var infos [2]string
	var folders []string // folder count of each image, as wimx reports it
	images := 0
	for side, dir := range s.sides {
		file := filepath.Join(dir, name)
		var ref []string
		for _, m := range more {
			ref = append(ref, inSide(dir, m))
		}
		if _, err := wimtest.Run(dir, wimtest.Wimlib, append([]string{"verify", file}, ref...)...); err != nil {
			return err
		}
		_, errs, code := wimx(dir, append([]string{"verify", file}, ref...)...)
		if code != 0 || side == 0 && errs != "" {
			return fmt.Errorf("wimx verify %s: status %d\n%s", file, code, errs)
		}
		out, err := wimtest.Run(dir, wimtest.Wimlib, "info", file)
		if err != nil {
			return err
		}
		infos[side] = steadyInfo(string(out), more != nil)
		for line := range strings.Lines(string(out)) {
			if key, value, _ := strings.Cut(line, ":"); side == 0 && key == "Directory Count" {
				folders = append(folders, strings.TrimSpace(value))
			}
		}
		images = max(images, strings.Count(infos[side], "\nIndex: "))
		for _, e := range mustEntries(dir) {
			if strings.Contains(e, tempMark) {
				return fmt.Errorf("%s is left over", e)
			}
		}
	}
	if d := firstLine(infos[1], infos[0]); d != "" {
		return fmt.Errorf("%s: info: %s\n%s", name, d, infos[0])
	}
	for i := range images {
		var facts [2]string
		for side, dir := range s.sides {
			var ref []string
			for _, m := range more {
				ref = append(ref, inSide(dir, m))
			}
			var err error
			if facts[side], err = imageFacts(filepath.Join(dir, name), i+1, s.start, ref...); err != nil {
				return err
			}
		}
		if d := firstLine(facts[1], facts[0]); d != "" {
			return fmt.Errorf("%s: image %d: dir --detailed: %s", name, i+1, d)
		}
		if n := countFolders(facts[0]); folders[i] != strconv.Itoa(n) {
			return fmt.Errorf("%s: image %d: info reports %s folders, and there are %d", name, i+1, folders[i], n)
		}
	}
	return nil
}

// steadyInfo returns the output of "info" without what differs between runs; for a split set, whose parts end where blobs
// end, without the number of parts. wimlib does not count folders that an update creates, and its rewritten archive stays
// solid only if all is LZMS, which the version shows.
func steadyInfo(text string, set bool) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		switch key, _, _ := strings.Cut(line, ":"); key {
		case "Path", "GUID", "Version", "Size", "Creation Time", "Last Modification Time", "Directory Count":
			continue
		case "Part Number":
			if set {
				continue
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// countFolders counts the folders of a listing. Links to folders do not count.
func countFolders(facts string) (n int) {
	for entry := range strings.SplitSeq(facts, "Full Path ") {
		if strings.Contains(entry, "FILE_ATTRIBUTE_DIRECTORY is set") && !strings.Contains(entry, "FILE_ATTRIBUTE_REPARSE_POINT is set") {
			n++
		}
	}
	return n
}

func mustEntries(dir string) (names []string) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return []string{err.Error() + tempMark}
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}
