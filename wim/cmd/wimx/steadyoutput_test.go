//go:build !js

package main

import (
	"regexp"
	"slices"
	"strings"
)

var (
	steadyLines = []struct {
		is *regexp.Regexp
		to string
	}{
		// Compression ratios are not compared, nor what differs between runs.
		{regexp.MustCompile(`(?m)^(GUID: +|GUID +=).*`), "$1"},
		{regexp.MustCompile(`(?m)^((?:Creation|Last Modification|Last Write|Last Access) Time *[:=]).*`), "$1"},
		{regexp.MustCompile(`(?m)^((?:Size|Space saved|Compressed size|Offset in WIM) *[:=]|.* (?:original|optimized) size:) -?\d+`), "$1"},
		{regexp.MustCompile(`(?m)^((?:Size: +)|(?:XML Data|Blob Table|Boot Metadata|Integrity) [A-Z].* = )\d+`), "$1"},
		{regexp.MustCompile(`<(TOTALBYTES|HIGHPART|LOWPART)>[^<]*`), "<$1>"},
		{regexp.MustCompile(`(?m)^(Link Group ID *=).*`), "$1"},
	}
	// progressLines matches progress. How often it is printed depends on the time.
	progressLines = regexp.MustCompile(`^(Scanning "|[0-9.]+ (bytes|KiB|MiB|GiB) scanned|Using .* compression with|(Archiving|Extracting|Verifying) (file data|metadata)|` +
		`Verifying (metadata for image|integrity)|Creating files:|Splitting WIM:|Calculating integrity table|\[WARNING\]|Applying metadata|Writing)`)
	packingLines    = regexp.MustCompile(`^(Archiving file data|Using .* compression with)`)
	progressNumbers = regexp.MustCompile(`\d+( (bytes|KiB|MiB|GiB|threads?))?`)
	// warningLines matches warnings, which wimlib-imagex prints to standard output, and wimx to standard error.
	warningLines = regexp.MustCompile(`^(WARNING: | +".*" from capture$| +\(use --)`)
)

// steadyOutput returns the part of the output in which both programs agree. It has each kind of progress line once, at the
// end, except those of packing: if there is nothing to pack, as with --unsafe-compact, only one of the programs prints them.
func steadyOutput(text string) string {
	var lines, shapes []string
	run := 0 // start of lines whose order is that of a folder on disk or of a tree in memory
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r", "\n"), "\n") {
		switch {
		case line == "", warningLines.MatchString(line):
			continue
		case progressLines.MatchString(line):
			if packingLines.MatchString(line) {
				continue
			}
			shapes = append(shapes, progressNumbers.ReplaceAllString(strings.TrimRight(line, " "), "N"))
			continue
		}
		lines = append(lines, line)
		if !strings.HasPrefix(line, `Updating "`) && !strings.HasPrefix(line, `Excluding "`) {
			run = len(lines)
		}
		slices.Sort(lines[run:])
	}
	slices.Sort(shapes)
	out := strings.Join(append(lines, slices.Compact(shapes)...), "\n")
	for _, l := range steadyLines {
		out = l.is.ReplaceAllString(out, l.to)
	}
	return out
}
