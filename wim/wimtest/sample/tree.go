package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math"
	"time"

	"wimscope/wim/wimtest"
)

// edition is an image of the sample.
type edition struct {
	name, description, id, title string
	pro                          bool
}

func editions() []edition {
	return []edition{
		{name: "Sample Home", description: "A made-up Windows, small enough to look at all of it", id: "Core", title: "Sample Home Edition"},
		{name: "Sample Professional", description: "The same with a few more things, which are stored; the rest is shared", id: "Professional", title: "Sample Professional Edition", pro: true},
	}
}

func (e edition) properties() []string {
	return []string{
		"DISPLAYNAME=" + e.title, "DISPLAYDESCRIPTION=" + e.description, "FLAGS=" + e.id,
		"WINDOWS/ARCH=9", "WINDOWS/PRODUCTNAME=Sample", "WINDOWS/EDITIONID=" + e.id, "WINDOWS/INSTALLATIONTYPE=Client",
		"WINDOWS/PRODUCTTYPE=WinNT", "WINDOWS/LANGUAGES/LANGUAGE=en-US", "WINDOWS/LANGUAGES/LANGUAGE[2]=de-DE",
		"WINDOWS/LANGUAGES/DEFAULT=en-US",
		// As in many real archives, the version in the XML document is older than that of the kernel.
		"WINDOWS/VERSION/MAJOR=10", "WINDOWS/VERSION/MINOR=0", "WINDOWS/VERSION/BUILD=26100", "WINDOWS/VERSION/SPBUILD=1",
		"WINDOWS/VERSION/SPLEVEL=0", "WINDOWS/VERSION/BRANCH=sample_release", "WINDOWS/SYSTEMROOT=WINDOWS",
	}
}

// Security descriptors of the trees, by number from 1.
const (
	everyone = 1 + iota // of all entries
)

func security() [][]byte { return [][]byte{wimtest.Descriptor()} }

// filetime returns a time in 100-ns units since 1601.
func filetime(t time.Time) uint64 {
	return uint64(t.Unix()+11644473600)*10_000_000 + uint64(t.Nanosecond()/100)
}

var day = time.Date(2025, 7, 12, 9, 30, 0, 123456700, time.UTC)

// stamp sets the security descriptor and the times of an entry and all below it. The times depend on the path, so that they are the
// same in both images.
func stamp(e *wimtest.HandEntry, path string) *wimtest.HandEntry {
	path += "/" + e.Name
	sum := fnv.New32a()
	sum.Write([]byte(path))
	at := day.Add(time.Duration(sum.Sum32()%(200*24*60)) * time.Minute)
	e.Created, e.Modified, e.Accessed = filetime(day), filetime(at), filetime(at.Add(time.Second))
	if e.Security == 0 {
		e.Security = everyone
	}
	for _, c := range e.Children {
		stamp(c, path)
	}
	return e
}

func file(name, text string) *wimtest.HandEntry {
	return &wimtest.HandEntry{Name: name, Data: []byte(text), Attrs: 0x20}
}

func bytesFile(name string, b []byte) *wimtest.HandEntry {
	return &wimtest.HandEntry{Name: name, Data: b, Attrs: 0x20}
}

func folder(name, short string, children ...*wimtest.HandEntry) *wimtest.HandEntry {
	e := wimtest.Folder(name, children...)
	e.Short = short
	return e
}

// utf16File returns a file of UTF-16 text with a byte order mark, as Windows' own .inf and .reg files have it.
func utf16File(name, text string) *wimtest.HandEntry {
	return bytesFile(name, append([]byte{0xFF, 0xFE}, wide(text)...))
}

func program(name, what string, v [4]uint16) []byte {
	return wimtest.VersionedPE(v, map[string]string{
		"CompanyName": "Wimscope", "FileDescription": what, "FileVersion": fmt.Sprintf("%d.%d.%d.%d", v[0], v[1], v[2], v[3]),
		"InternalName": name, "OriginalFilename": name, "ProductName": "Wimscope sample", "LegalCopyright": "None: it does nothing.",
	}, 0)
}

func (e edition) tree() *wimtest.HandEntry {
	kernel := [4]uint16{10, 0, 26100, 4652}
	notepad := &wimtest.HandEntry{Name: "notepad.exe", Data: program("notepad.exe", "Stands where a text editor would", kernel), Attrs: 0x20, Link: 3}
	twin := *notepad

	welcome := file("Welcome to Wimscope.txt", welcomeText)
	welcome.Short = "WELCOM~1.TXT"
	welcome.Streams = []wimtest.HandStream{{Name: "Zone.Identifier", Data: []byte("[ZoneTransfer]\r\nZoneId=3\r\nHostUrl=https://example.org/welcome\r\n")}}
	shared := file("Welcome to Wimscope.txt", welcomeText) // the same bytes under another path: stored once
	shared.Short = "WELCOM~1.TXT"

	system := []*wimtest.HandEntry{
		bytesFile("ntoskrnl.exe", program("ntoskrnl.exe", "Not a kernel, but it has a kernel's version", kernel)),
		notepad,
		folder("drivers", "", folder("etc", "", file("hosts", hostsText), file("services", servicesText))),
		folder("en-US", "", file("notes.txt", "Text for people who read English.\r\n")),
		folder("de-DE", "", file("notes.txt", "Text für Leute, die Deutsch lesen.\r\n")),
		folder("config", "", file("settings.json", settingsText)),
	}
	ini := file("win.ini", "; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n")
	windows := []*wimtest.HandEntry{
		folder("System32", "", system...),
		&twin,
		folder("Panther", "", file("unattend.xml", unattendText(e.id))),
		folder("INF", "", utf16File("sample.inf", infText)),
		folder("Fonts", "", file("about these fonts.txt", "There are none. A real image has some 300 here.\r\n")),
		folder("Logs", "", file("setup.log", setupLog())),
		ini,
	}
	if e.pro {
		ini.Attrs |= 0x2 // hidden: here the images differ only in metadata
	}
	pictures := []*wimtest.HandEntry{bytesFile("hills.png", picture(0))}
	programs := []*wimtest.HandEntry{folder("Common Files", "COMMON~1")}
	if e.pro {
		pictures = append(pictures, bytesFile("hills by night.png", picture(1)))
		programs = append(programs, folder("Remote Desk", "REMOTE~1",
			bytesFile("remotedesk.exe", program("remotedesk.exe", "Only in the Professional image", [4]uint16{2, 4, 0, 1})),
			file("licence.txt", "You may do with this file whatever you like.\r\n")))
		windows = append(windows, folder("PolicyDefinitions", "POLICY~1", file("desktop.admx", policyText)))
	}
	users := folder("Users", "",
		folder("Public", "",
			folder("Documents", "", welcome),
			folder("Desktop", "", shared),
			folder("Pictures", "", pictures...)),
		&wimtest.HandEntry{Name: "All Users", Attrs: 0x416, Tag: wimtest.TagSymlink, NotFixed: true,
			Data: wimtest.SymlinkData(`\??\C:\ProgramData`, `C:\ProgramData`, false)},
		&wimtest.HandEntry{Name: "read me first.txt", Attrs: 0x400, Tag: wimtest.TagSymlink,
			Data: wimtest.SymlinkData(`Public\Documents\Welcome to Wimscope.txt`, `Public\Documents\Welcome to Wimscope.txt`, true)})
	hidden := file("bootmgr.txt", "A real image has the boot manager here, hidden from view.\r\n")
	hidden.Attrs = 0x27 // read-only, hidden, system, archive
	root := wimtest.Folder("",
		&wimtest.HandEntry{Name: "Documents and Settings", Short: "DOCUME~1", Attrs: 0x2416, Tag: wimtest.TagJunction, NotFixed: true,
			Data: wimtest.JunctionData(`\??\C:\Users`, `C:\Users`)},
		hidden,
		folder("PerfLogs", ""),
		folder("Program Files", "PROGRA~1", programs...),
		folder("ProgramData", "PROGRA~2", folder("Wimscope", "", file("last run.log", logText))),
		users,
		folder("Windows", "", windows...))
	return stamp(root, "")
}

const welcomeText = `Welcome to Wimscope.

This archive is a tiny stand-in for a Windows installation image. Nothing in it
runs, and nothing in it is from Microsoft; it only has the shape of the real
thing, so that there is something to look at before you open your own file.

Things to try:

  * This text exists four times - twice in each image - but is stored once.
    Ask for "where used" and you will see all the places.
  * It has a second, named stream, Zone.Identifier: what browsers leave on
    downloaded files.
  * C:\Windows\notepad.exe and C:\Windows\System32\notepad.exe are one file
    with two names: a hard link.
  * "Documents and Settings" is a junction and "All Users" a symbolic link.
  * Compare the version that the image claims with the one that its
    ntoskrnl.exe gives. They differ, as they often do in real images.
  * Verify the archive. It should be in perfect health.
` + "\r\n"

const hostsText = `# This is a sample HOSTS file, of the kind that maps names to addresses.
#
# 102.54.94.97     rhino.example.com          # source server
# 38.25.63.10      x.example.com              # x client host

127.0.0.1       localhost
::1             localhost
`

const servicesText = `# name   port/protocol   what it is
echo      7/tcp
discard   9/tcp
ssh      22/tcp          # secure shell
http     80/tcp          # what browsers once spoke
https   443/tcp          # what they speak now
`

const settingsText = `{
  "theme": "follow the system",
  "telemetry": false,
  "startup": ["nothing", "really"],
  "wallpaper": "C:\\Users\\Public\\Pictures\\hills.png"
}
`

const infText = `; A setup information file in UTF-16, as many on a real system are.
[Version]
Signature   = "$WINDOWS NT$"
Class       = Sample
Provider    = %Maker%
DriverVer   = 07/12/2025,1.0.0.0

[Strings]
Maker       = "Wimscope"
`

const policyText = `<?xml version="1.0" encoding="utf-8"?>
<policyDefinitions revision="1.0" schemaVersion="1.0">
  <policies>
    <policy name="CalmDesktop" class="User" displayName="Keep the desktop calm" key="Software\Policies\Sample" valueName="Calm"/>
  </policies>
</policyDefinitions>
`

const logText = `2025-07-12 09:30:00 setup: hello
2025-07-12 09:30:01 setup: everything is where it should be
2025-07-12 09:30:02 setup: goodbye
`

func unattendText(edition string) string {
	return `<?xml version="1.0" encoding="utf-8"?>
<unattend xmlns="urn:schemas-microsoft-com:unattend">
  <!-- Answers for a setup that nobody sits in front of. -->
  <settings pass="windowsPE">
    <component name="Sample-Setup" language="neutral">
      <Edition>` + edition + `</Edition>
      <AcceptEula>true</AcceptEula>
      <TimeZone>UTC</TimeZone>
    </component>
  </settings>
</unattend>
`
}

// picture returns a PNG of hills under a sky, by day, or by night with stars.
func picture(night int) []byte {
	const w, h = 240, 150
	sky := [2][2]color.RGBA{{{0x9C, 0xD3, 0xF5, 255}, {0xF3, 0xF0, 0xD8, 255}}, {{0x10, 0x16, 0x33, 255}, {0x36, 0x3F, 0x70, 255}}}[night]
	ground := [2][3]color.RGBA{
		{{0x8F, 0xB9, 0x7A, 255}, {0x5E, 0x98, 0x57, 255}, {0x35, 0x72, 0x40, 255}},
		{{0x2A, 0x35, 0x55, 255}, {0x1D, 0x27, 0x42, 255}, {0x10, 0x18, 0x2C, 255}},
	}[night]
	var palette color.Palette
	for i := range 16 { // the sky in bands
		mix := func(a, b uint8) uint8 { return uint8((int(a)*(15-i) + int(b)*i) / 15) }
		palette = append(palette, color.RGBA{mix(sky[0].R, sky[1].R), mix(sky[0].G, sky[1].G), mix(sky[0].B, sky[1].B), 255})
	}
	for _, c := range ground {
		palette = append(palette, c)
	}
	palette = append(palette, color.RGBA{0xFF, 0xF4, 0xB0, 255}) // sun, moon and stars
	const light = 19
	im := image.NewPaletted(image.Rect(0, 0, w, h), palette)
	for y := range h {
		for x := range w {
			c := uint8(min(15, y*16/110))
			if dx, dy := x-185, y-36; dx*dx+dy*dy < 17*17 {
				c = light
			}
			if night == 1 && y < 90 && (x*73+y*151+x*y*7)%499 == 0 {
				c = light
			}
			for i, hill := range []float64{
				92 + 16*math.Sin(float64(x)/31), 108 + 12*math.Sin(float64(x)/23+2), 126 + 9*math.Sin(float64(x)/41+4),
			} {
				if float64(y) > hill {
					c = uint8(16 + i)
				}
			}
			im.SetColorIndex(x, y, c)
		}
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&b, im); err != nil {
		panic(err) // cannot happen: a valid picture, to memory
	}
	return b.Bytes()
}

// setupLog returns a long log, of several chunks.
func setupLog() string {
	verbs := []string{"Looking at", "Staging", "Unpacking", "Checking", "Linking", "Naming", "Putting away"}
	things := []string{"a font", "the wallpaper", "a driver that nobody has", "the clock", "two spare icons", "a help page", "the sound of a bell", "a list of time zones"}
	ends := []string{"done", "done", "done", "was there already", "skipped, not needed", "done, with a smile"}
	var b bytes.Buffer
	at, state := day, uint32(1)
	next := func(n int) int { // a generator of our own: the text must not change if Go's does
		state = state*1664525 + 1013904223
		return int(state>>16) % n
	}
	for i := range 1800 {
		at = at.Add(time.Duration(1+next(900)) * time.Millisecond)
		fmt.Fprintf(&b, "%s [%04d] %s %s: %s\r\n", at.Format("2006-01-02 15:04:05.000"), i+1, verbs[next(len(verbs))], things[next(len(things))], ends[next(len(ends))])
	}
	return b.String()
}
