//go:build linux

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"wimscope/wim/wimtest"
)

// TestPublicScripts runs the wimlib-imagex command lines of public programs in two folders: with wimlib-imagex in one, with
// wimx under its names in the other. Each line must have the same exit status and standard output in both, and in the end
// there must be the same files, and the same images in the same archives. The programs are in public_scripts_test.go.
func TestPublicScripts(t *testing.T) {
	wimtest.Need(t, wimtest.Wimlib)
	top := memoryDir(t)
	bin, seed := filepath.Join(top, "bin"), filepath.Join(top, "seed")
	for _, dir := range []string{bin, seed} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := exec.LookPath("wimx")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(bin, "wimlib-imagex"), "#!/bin/sh\nexec "+program+" \"$@\"\n", 0o755)
	for _, v := range verbs() {
		writeFile(t, filepath.Join(bin, "wim"+v.name), "#!/bin/sh\nexec "+program+" "+v.name+" \"$@\"\n", 0o755)
	}
	const usual = "/usr/local/bin:/usr/bin:/bin"
	paths := [2]string{bin + ":" + usual, usual}
	plantMedia(t, seed, paths[1])

	lines := 0
	for _, p := range publicPrograms {
		lines += len(p.lines())
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := &sequence{start: time.Now()}
			dir := memoryDir(t)
			for side, name := range []string{"ours", "theirs"} {
				s.sides[side] = filepath.Join(dir, name)
				if err := os.CopyFS(s.sides[side], os.DirFS(seed)); err != nil {
					t.Fatal(err)
				}
			}
			for _, line := range p.lines() {
				var said [2]string
				var codes [2]int
				for side, dir := range s.sides {
					cmd := exec.Command("sh", "-c", line)
					cmd.Dir = dir
					cmd.Env = append([]string{"PATH=" + paths[side], "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=" + dir}, p.env...)
					var errs bytes.Buffer
					cmd.Stderr = &errs
					out, err := cmd.Output()
					var ee *exec.ExitError
					if err != nil && !errors.As(err, &ee) {
						t.Fatal(err)
					}
					codes[side] = cmd.ProcessState.ExitCode()
					said[side] = steadyOutput(strings.ReplaceAll(string(out), dir, "@"))
					if os.Getenv("WIMSCOPE_SHOW") != "" {
						t.Logf("%d: %s: status %d\n%s%s", side, line, codes[side], out, &errs)
					}
				}
				if codes[0] != codes[1] {
					t.Errorf("%s: status %d, want %d", line, codes[0], codes[1])
				}
				if d := firstLine(said[1], said[0]); d != "" {
					t.Errorf("%s: %s", line, d)
				}
			}
			s.compareFolders(t)
		})
	}
	t.Logf("%d programs, %d command lines", len(publicPrograms), lines)
}

// publicProgram is a program that calls wimlib-imagex, with its shell lines, rewritten for this test.
type publicProgram struct {
	name string
	env  []string
	text string
}

func (p *publicProgram) lines() (list []string) {
	for line := range strings.Lines(p.text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	return list
}

// compareFolders compares all files of both sides; archives by their images.
func (s *sequence) compareFolders(t *testing.T) {
	t.Helper()
	var snaps [2]wimtest.Snapshot
	for side, dir := range s.sides {
		snap, err := wimtest.Snap(dir)
		if err != nil {
			t.Fatal(err)
		}
		snaps[side] = snap
	}
	archives := regexp.MustCompile(`(?i)\.(wim|esd|swm|xml)$`)
	later := regexp.MustCompile(`[0-9]\.swm$`)
	for _, pair := range [][2]int{{0, 1}, {1, 0}} {
		for name := range snaps[pair[0]] {
			if snaps[pair[1]][name] == nil {
				t.Errorf("%s is only on side %d of %q", name, pair[0], s.sides)
			}
		}
	}
	for name := range snaps[1] {
		if snaps[0][name] == nil || !archives.MatchString(name) {
			continue
		}
		delete(snaps[0], name)
		delete(snaps[1], name)
		switch {
		case strings.HasSuffix(name, ".xml"), later.MatchString(name):
		case strings.HasSuffix(name, ".swm"):
			if err := s.compare(name, "--ref=@/"+strings.TrimSuffix(name, ".swm")+"*.swm"); err != nil {
				t.Error(err)
			}
		default:
			if err := s.compare(name); err != nil {
				t.Error(err)
			}
		}
	}
	if d := wimtest.Diff(snaps[1], snaps[0], wimtest.NoRoot|wimtest.Modes|wimtest.Groups); d != nil {
		t.Errorf("files: %s", strings.Join(d, "\n"))
	}
}

func writeFile(t testing.TB, name, text string, mode os.FileMode) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, []byte(text), mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// plantMedia creates small Windows installation media: media.esd, solid, with a medium, WinPE, Setup and two editions;
// boot.wim, whose second image is booted; install.wim with three editions; drivers and other files to add to them.
func plantMedia(t testing.TB, dir, path string) {
	t.Helper()
	noise := func(seed uint64, n int) string { return string(wimtest.Noise.Make(newRand(seed), n)) }
	tree := func(name string, files map[string]string) {
		for file, text := range files {
			writeFile(t, filepath.Join(dir, "trees", name, file), cmp.Or(text, "this is "+file+"\r\n"), 0o644)
		}
	}
	pe := map[string]string{
		"Windows/System32/config/SOFTWARE": noise(1, 9000), "Windows/System32/config/SYSTEM": noise(2, 5000), "Windows/System32/winpeshl.ini": "",
		"Windows/System32/startnet.cmd": "wpeinit\r\n", "Windows/System32/winre.jpg": "", "Windows/System32/cmd.exe": noise(3, 3000), "Windows/System32/xmllite.dll": "",
		"Windows/System32/kernel.dll": noise(4, 70000), "Windows/Boot/PCAT/bootmgr": "", "Windows/Boot/EFI/bootmgfw.efi": "", "setup.exe": "", "sources/setup.exe": "", "sources/background.bmp": "",
		"Users/Default/NTUSER.DAT": noise(5, 2000),
	}
	media := map[string]string{
		"setup.exe": "", "sources/boot.txt": "", "sources/background_cli.bmp": "", "sources/inf/setup.cfg": "", "sources/setup.dll": "", "boot/bcd": noise(6, 800),
		"boot/boot.sdi": noise(7, 3000), "boot/fonts/wgl4_boot.ttf": "", "efi/boot/bootx64.efi": "", "efi/microsoft/boot/bcd": "", "efi/microsoft/boot/efisys.bin": "", "bootmgr": "", "empty/.keep": "x",
	}
	edition := map[string]string{
		"Windows/explorer.exe": noise(8, 40000), "Windows/Fonts/arial.ttf": noise(9, 2000), "Windows/Fonts/Cambria.ttc": noise(10, 2500), "Windows/Fonts/readme.txt": "",
		"Windows/System32/Licenses/neutral/Volume/Pro/license.rtf": "", "Windows/System32/Licenses/neutral/_Default/Core/license.rtf": "", "Windows/System32/config/SOFTWARE": noise(11, 12000),
		"Windows/System32/config/SYSTEM": noise(12, 8000), "Windows/System32/Recovery/Winre.txt": "", "Windows/System32/OneDriveSetup.exe": noise(13, 1000), "Windows/Web/Wallpaper/img0.jpg": noise(14, 3000),
		"Program Files (x86)/Microsoft/Edge/msedge.exe": noise(15, 4000), "Program Files (x86)/Microsoft/EdgeUpdate/update.exe": "", "Program Files/WindowsApps/Clipchamp_1/a.exe": "",
		"Windows/System32/DriverStore/FileRepository/prnms1.inf_amd64/prnms1.inf": "", "Windows/System32/DriverStore/FileRepository/net1.inf_amd64/net1.inf": "", "Users/Default/NTUSER.DAT": noise(16, 2000),
		"Windows/WinSxS/Backup/x.dll": "", "ProgramData/big.bin": noise(17, 700<<10), "ProgramData/big2.bin": noise(18, 600<<10), "ProgramData/text.log": strings.Repeat("a line of text\r\n", 6000),
		"Windows/ünïcode name & more.txt": "",
	}
	plain := map[string]string{ // no files from which the Windows version is read
		"setup.exe": "", "Data/System32/startnet.cmd": "wpeinit\r\n", "Data/System32/cmd.exe": noise(3, 3000), "Data/System32/kernel.bin": noise(4, 70000), "Data/Boot/bootmgr": "", "Data/Boot/EFI/x.efi": "",
	}
	tree("plain", plain)
	tree("large", map[string]string{"big.bin": noise(17, 300<<10), "text.log": strings.Repeat("a line of text\r\n", 6000)})
	tree("media", media)
	tree("pe", pe)
	tree("setup", pe)
	tree("setup", map[string]string{"sources/setupcore.dll": "", "Windows/System32/setupreg.exe": noise(19, 100)})
	tree("pro", edition)
	tree("home", edition)
	tree("home", map[string]string{"Windows/home.txt": "", "Windows/explorer.exe": noise(20, 40000)})
	tree("server", edition)
	tree("server", map[string]string{"Windows/server.txt": ""})
	for name, text := range map[string]string{
		"autounattend.xml": "<unattend/>\n", "new/startnet.cmd": "wpeinit\r\nstart\r\n", "new/winpeshl.ini": "[LaunchApps]\r\n", "drivers/net/net.inf": "; net\r\n", "drivers/net/net.sys": noise(21, 3000),
		"drivers/storage disk/vio.inf": "; disk\r\n", "SOFTWARE": noise(22, 9500),
	} {
		writeFile(t, filepath.Join(dir, name), text, 0o644)
	}
	if err := steadyTimes(dir); err != nil {
		t.Fatal(err)
	}
	windows := func(archive string, index int, edition, build, arch, language string) string {
		var p strings.Builder
		for _, property := range []string{
			"ARCH=" + arch, "PRODUCTNAME=Microsoft® Windows® Operating System", "EDITIONID=" + edition, "INSTALLATIONTYPE=Client", "PRODUCTTYPE=WinNT", "PRODUCTSUITE=Terminal Server",
			"LANGUAGES/LANGUAGE=" + language, "LANGUAGES/DEFAULT=" + language, "VERSION/MAJOR=10", "VERSION/MINOR=0", "VERSION/BUILD=" + build, "VERSION/SPBUILD=1742", "VERSION/SPLEVEL=0", "SYSTEMROOT=WINDOWS",
		} {
			fmt.Fprintf(&p, " --image-property 'WINDOWS/%s'", property)
		}
		return fmt.Sprintf("wimlib-imagex info %s %d%s --image-property FLAGS=%s --image-property 'DISPLAYNAME=Windows 11 %s' --image-property DISPLAYDESCRIPTION=shown", archive, index, p.String(), edition, edition)
	}
	for _, line := range []string{
		"wimlib-imagex capture trees/media media.esd 'Windows Setup Media' 'Windows Setup Media' --solid --solid-chunk-size=1M --compress=LZMS",
		"wimlib-imagex append trees/pe media.esd 'Microsoft Windows PE (x64)' 'Microsoft Windows PE (x64)' --solid --solid-chunk-size=1M",
		"wimlib-imagex append trees/setup media.esd 'Microsoft Windows Setup (x64)' 'Microsoft Windows Setup (x64)' --boot --solid --solid-chunk-size=1M",
		"wimlib-imagex append trees/pro media.esd 'Windows 11 Pro' 'Windows 11 Pro' --solid --solid-chunk-size=1M",
		"wimlib-imagex append trees/home media.esd 'Windows 11 Home' 'Windows 11 Home' --solid --solid-chunk-size=1M",
		windows("media.esd", 2, "WindowsPE", "26100", "9", "en-US"), windows("media.esd", 3, "WindowsPE", "26100", "9", "en-US"),
		windows("media.esd", 4, "Professional", "26100", "9", "en-US"), windows("media.esd", 5, "Core", "26100", "9", "en-US"),
		"wimlib-imagex capture trees/pe boot.wim 'Microsoft Windows PE (x86)' --compress=LZX:20",
		"wimlib-imagex append trees/setup boot.wim 'Microsoft Windows Setup (x86)' --boot",
		windows("boot.wim", 1, "WindowsPE", "19041", "0", "de-DE"), windows("boot.wim", 2, "WindowsPE", "19041", "0", "de-DE"),
		"wimlib-imagex capture trees/pro install.wim 'Windows 11 Pro' 'Windows 11 Pro' --compress=LZX:20 --check",
		"wimlib-imagex append trees/home install.wim 'Windows 11 Home' 'Windows 11 Home' --check",
		"wimlib-imagex append trees/server install.wim 'Windows Server 2025 Datacenter' 'Windows Server 2025 Datacenter' --check",
		windows("install.wim", 1, "Professional", "22631", "12", "fr-FR") + " --check", windows("install.wim", 2, "Core", "22631", "12", "fr-FR") + " --check",
		windows("install.wim", 3, "ServerDatacenter", "26100", "12", "fr-FR") + " --check", "rm -r trees/home trees/server trees/media trees/setup trees/pro",
	} {
		cmd := exec.Command("sh", "-ec", line)
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + path}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}
