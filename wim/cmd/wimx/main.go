// Command wimx reads and writes Windows Imaging archives (WIM, ESD, SWM). Its verbs, arguments, options and exit status
// are those of wimlib-imagex, so that scripts written for that run with it; search, diff, reorder, --json, --dry-run and
// more go beyond it.
//
//	wimx append   SOURCE WIMFILE [IMAGE_NAME [IMAGE_DESC]] …
//	wimx apply    WIMFILE [IMAGE] TARGET …
//	wimx capture  SOURCE WIMFILE [IMAGE_NAME [IMAGE_DESC]] …
//	wimx delete   WIMFILE IMAGE …
//	wimx diff     WIMFILE IMAGE WIMFILE IMAGE
//	wimx dir      WIMFILE [IMAGE] [--path=PATH] [--detailed] [--one-file-only] [--ref=GLOB] [--json]
//	wimx export   SRC_WIMFILE SRC_IMAGE DEST_WIMFILE [DEST_IMAGE_NAME [DEST_IMAGE_DESC]] …
//	wimx extract  WIMFILE IMAGE [(PATH | @LISTFILE)...] [--dest-dir=DIR] [--to-stdout] …
//	wimx info     WIMFILE [IMAGE [NEW_NAME [NEW_DESC]]] [--header] [--blobs] [--xml] [--boot] [--json] …
//	wimx join     OUT_WIMFILE SPLIT_WIM_PART...
//	wimx optimize WIMFILE …
//	wimx reorder  WIMFILE IMAGE...
//	wimx search   WIMFILE NAME-GLOB [--ref=GLOB]
//	wimx split    WIMFILE SPLIT_WIM_PART_1 PART_SIZE_MB …
//	wimx update   WIMFILE [IMAGE] [--command=STRING] [< CMDFILE] …
//	wimx verify   WIMFILE [--ref=GLOB] [--nocheck] [--json]
//
// Under the name wimcapture, wiminfo and so on it takes that verb.
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
	"slices"
	"strings"
	"syscall"
)

func main() { os.Exit(mainStatus()) }

// mainStatus runs the program. The first Ctrl-C, SIGTERM or SIGHUP ends the work, which tidies up; a second one kills the program.
// Under nohup the work goes on.
func mainStatus() int {
	const hangup = syscall.Signal(1) // package syscall does not name it everywhere
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(hangup) {
		signals = append(signals, hangup)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
}

// tool is one run of the program: where it reads and writes, and what every verb honours.
type tool struct {
	ctx    context.Context
	stdin  io.Reader
	stdout *bufio.Writer
	stderr io.Writer
	quiet  bool // --quiet: no messages on standard output beside what was asked for
	fold   bool // paths are matched ignoring case
	calm   bool // --quiet was given: nor are there warnings of what other programs do not read
	screen bool // standard error is a terminal: show progress there

	data  io.Writer // what stdout writes to in the end
	reads bool      // a person reads standard output: it is a terminal

	leftOut int // files that --skip-errors left out

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

// run is the whole program. It returns the exit status.
func run(ctx context.Context, argv []string, stdin io.Reader, stdout, stderr io.Writer) int {
	t := &tool{ctx: ctx, stdin: stdin, stdout: bufio.NewWriterSize(stdout, 64<<10), stderr: stderr}
	if f, ok := stderr.(*os.File); ok {
		fi, err := f.Stat()
		t.screen = err == nil && fi.Mode()&os.ModeCharDevice != 0
	}
	t.forPeople(stdout, stderr)
	err := t.dispatch(argv)
	if ferr := t.stdout.Flush(); err == nil && ferr != nil {
		err = coded(exitWrite, fmt.Errorf("standard output: %w", ferr))
	}
	return t.report(err)
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
			return usageError{"no command given"}
		}
		which, args = args[0], args[1:]
	}
	switch which {
	case "--help", "-help", "help", "-h":
		t.usage(t.stdout, all)
		return nil
	case "--version", "-version":
		fmt.Fprintf(t.stdout, "wimx (Wimscope)\nReads and writes Windows Imaging archives; command line as of wimlib-imagex 1.13.\n")
		return nil
	}
	for _, v := range all {
		if v.name != which {
			continue
		}
		o, err := parseOptions(append(v.opts, option{name: "help"}, option{name: "quiet"}), wimlibOptions(v.name), args)
		if err != nil {
			t.verbUsage(t.stderr, command, v)
			return err
		}
		if o.has("help") {
			t.verbUsage(t.stdout, command, v)
			return nil
		}
		t.fold = t.ignoreCase()
		t.quiet, t.calm = o.has("quiet"), o.has("quiet")
		if err = v.run(t, o); err == nil && t.leftOut > 0 {
			err = codef(exitLeftOut, "--skip-errors left out %d; all else was done", t.leftOut)
		}
		var ue usageError
		if errors.As(err, &ue) {
			t.verbUsage(t.stderr, command, v)
		}
		return err
	}
	if slices.Contains([]string{"mount", "mountrw", "unmount"}, which) {
		return usageError{fmt.Sprintf("%q: wimx does not mount archives; it has extract and update", which)}
	}
	t.usage(t.stderr, all)
	return usageError{fmt.Sprintf("unrecognized command: %q", which)}
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

// say prints a message of the kind that --quiet silences.
func (t *tool) say(format string, args ...any) {
	if !t.quiet {
		fmt.Fprintf(t.stdout, format, args...)
	}
}

// warn prints a warning. Warnings do not change the exit status.
func (t *tool) warn(format string, args ...any) {
	fmt.Fprintf(t.stderr, "[WARNING] "+format+"\n", args...)
}
