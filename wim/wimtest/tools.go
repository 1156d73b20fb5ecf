package wimtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// The programs that interop tests run, with the names and packages of Debian.
const (
	Wimlib   = "wimlib-imagex" // wimtools
	SevenZip = "7zz"           // 7zip
	MkNTFS   = "mkntfs"        // ntfs-3g
	NTFSCopy = "ntfscp"        // ntfs-3g
	HiveXML  = "hivexml"       // libhivex-bin
)

// Need skips the test if a program is missing, or fails it if the environment sets CI. Under js no program can be run, so
// there the test is always skipped; its native run covers it.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	if runtime.GOOS == "js" {
		t.Skipf("%s cannot be run in a browser", strings.Join(programs, ", "))
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is not installed, and CI must not skip tests", p)
			}
			t.Skipf("%s is not installed", p)
		}
	}
}

// Run runs a program in folder dir and returns its standard output. An error includes its standard error.
func Run(dir, program string, args ...string) ([]byte, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, errs.Bytes())
	}
	return out.Bytes(), nil
}

// MustRun is Run for tests.
func MustRun(t testing.TB, dir, program string, args ...string) []byte {
	t.Helper()
	out, err := Run(dir, program, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
