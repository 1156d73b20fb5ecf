// Command wimx reads and writes Windows Imaging archives (WIM, ESD, SWM). Its verbs, arguments, options and exit status are
// those of wimlib-imagex, so that scripts written for wimlib-imagex work with it. It adds search, diff, reorder, --json,
// --dry-run and more.
//
//	wimx append   SOURCE WIMFILE [IMAGE_NAME [IMAGE_DESC]] …
//	wimx apply    WIMFILE [IMAGE] TARGET …
//	wimx capture  SOURCE WIMFILE [IMAGE_NAME [IMAGE_DESC]] …
//	wimx delete   WIMFILE IMAGE …
//	wimx diff     WIMFILE IMAGE WIMFILE IMAGE
//	wimx dir      WIMFILE [IMAGE] [--path=PATH] [--detailed] [--one-file-only] [--ref=GLOB] [--json]
//	wimx export   SRC_WIMFILE SRC_IMAGE DEST_WIMFILE [DEST_IMAGE_NAME [DEST_IMAGE_DESC]] …
//	wimx extract  WIMFILE IMAGE [(PATH | @LISTFILE)...] [--dest-dir=DIR] [--to-stdout] [--zip=FILE] [--tar=FILE] …
//	wimx info     WIMFILE [IMAGE [NEW_NAME [NEW_DESC]]] [--header] [--blobs] [--xml] [--boot] [--json] …
//	wimx join     OUT_WIMFILE SPLIT_WIM_PART...
//	wimx optimize WIMFILE …
//	wimx reorder  WIMFILE IMAGE...
//	wimx search   WIMFILE NAME-GLOB [--ref=GLOB]
//	wimx split    WIMFILE SPLIT_WIM_PART_1 PART_SIZE_MB …
//	wimx update   WIMFILE [IMAGE] [--command=STRING] [< CMDFILE] …
//	wimx verify   WIMFILE [--ref=GLOB] [--nocheck] [--json]
//
// Called as wimcapture, wiminfo and so on, it runs that verb.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
)

func main() { os.Exit(mainStatus()) }

// mainStatus runs the program. The first Ctrl-C, SIGTERM or SIGHUP stops the run, which cleans up; a second one kills the
// program. Under nohup SIGHUP is ignored.
func mainStatus() int {
	if os.Getenv("GOGC") == "" {
		// Most of the heap is live: a record of each file. Let garbage take a quarter of that, not as much again.
		debug.SetGCPercent(25)
	}
	const hangup = syscall.Signal(1) // package syscall does not name it everywhere
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(hangup) {
		signals = append(signals, hangup)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
}

// tool is one run of the program: its input and output, and settings common to all verbs.
type tool struct {
	console
	ctx   context.Context
	stdin io.Reader
	fold  bool // paths are matched ignoring case

	spooled string // the temporary file that standard input was copied to

	leftOut int // files that --skip-errors left out
	lost    int // losses of images that were listed, extracted or copied

	pieceSize int64 // of large contents in a ZIP or TAR; 0: the usual one; for tests

	written func(off int64, n int) error // called before each write to an archive, and may fail it; for tests
}

// verb is one command.
type verb struct {
	name  string
	usage string
	opts  []option
	run   func(t *tool, o *parsed) error
}

func verbs() []verb {
	return []verb{
		appendVerb(), applyVerb(), captureVerb(), deleteVerb(), diffVerb(), dirVerb(), exportVerb(), extractVerb(), infoVerb(),
		joinVerb(), optimizeVerb(), reorderVerb(), searchVerb(), splitVerb(), updateVerb(), verifyVerb(),
	}
}

// run runs the program and returns its exit status.
func run(ctx context.Context, argv []string, stdin io.Reader, stdout, stderr io.Writer) int {
	t := &tool{ctx: ctx, stdin: stdin}
	t.stdout, t.stderr = bufio.NewWriterSize(stdout, 64<<10), stderr
	t.out, _ = stdout.(*os.File)
	t.forPeople(stdout, stderr)
	err := t.dispatch(argv)
	code := t.report(err)
	if err := t.stdout.Flush(); code == 0 && err != nil {
		code = t.report(coded(exitWrite, fmt.Errorf("standard output: %w", err)))
	}
	return code
}

func (t *tool) dispatch(argv []string) error {
	name := strings.TrimSuffix(filepath.Base(argv[0]), ".exe")
	args := argv[1:]
	all := verbs()
	command := "wimx "
	which := ""
	for _, v := range all { // wiminfo, wimdir, …
		if name == "wim"+v.name {
			which, command = v.name, "wim"
		}
	}
	if which == "" {
		if len(args) == 0 {
			t.usage(t.stderr, all)
			return coded(exitCommand, usageError{"no command given"})
		}
		which, args = args[0], args[1:]
	}
	switch which {
	case "--help", "-help", "help", "-h":
		t.usage(t.stdout, all)
		return nil
	case "--version", "-version":
		t.version()
		return nil
	}
	i := slices.IndexFunc(all, func(v verb) bool { return v.name == which })
	if i < 0 {
		return unknownCommand(which, all)
	}
	v := all[i]
	for _, a := range args { // before anything else is checked, as in wimlib-imagex
		if a == "--version" {
			t.version()
			return nil
		}
		if a == "--" {
			break
		}
	}
	t.asJSON = slices.Contains(args, "--json") // for errors of the command line, too
	o, err := parseOptions(append(v.opts, option{name: "help"}, option{name: "quiet"}, option{name: "json"}), wimlibOptions(v.name), args)
	if err == nil && o.has("help") {
		t.verbUsage(t.stdout, command, v)
		return nil
	}
	if err == nil {
		t.fold = t.ignoreCase()
		t.quiet, t.asJSON = o.has("quiet"), o.has("json")
		err = v.run(t, o)
	}
	if err == nil && t.leftOut > 0 {
		what := "one item"
		if t.leftOut > 1 {
			what = fmt.Sprintf("%d items", t.leftOut)
		}
		err = codef(exitLeftOut, "--skip-errors left out %s; everything else was done", what)
	}
	if err == nil && t.lost > 0 {
		err = codef(exitMetadata, "the result is incomplete: %d losses, see the warnings; everything else was done", t.lost)
	}
	var ue usageError
	if errors.As(err, &ue) {
		err = hinted{err, fmt.Sprintf("%q lists the arguments and options", command+v.name+" --help")}
	}
	return err
}

// unknownCommand returns the error for an unknown verb, with the most similar verb if there is one.
func unknownCommand(name string, all []verb) error {
	const hint = `"wimx --help" lists the commands`
	err := codef(exitCommand, "unknown command %q", name)
	if slices.Contains([]string{"mount", "mountrw", "unmount"}, name) {
		return hinted{codef(exitUsage, "%q: wimx does not mount archives", name), "use extract and update for their files"}
	}
	best, near := "", 3
	for _, v := range all {
		if d := editDistance(name, v.name); d < near {
			best, near = v.name, d
		}
	}
	if best != "" {
		return hinted{err, fmt.Sprintf("did you mean %q? %s", best, hint)}
	}
	return hinted{err, hint}
}

// editDistance returns the Levenshtein distance between a and b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0]++
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			left, row[j+1] = row[j+1], min(left+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func (t *tool) usage(w io.Writer, all []verb) {
	fmt.Fprintln(w, "Usage:")
	for _, v := range all {
		fmt.Fprintf(w, "    wimx %s %s\n", v.name, v.usage)
	}
	fmt.Fprint(w, "    wimx --help\n    wimx --version\n\n",
		"IMAGE is the 1-based index or the name of an image. It may be left out if the archive has only one,\n",
		"and some commands take \"all\".\n")
}

func (t *tool) verbUsage(w io.Writer, command string, v verb) {
	fmt.Fprintf(w, "Usage:\n    %s%s %s\n", command, v.name, v.usage)
}
