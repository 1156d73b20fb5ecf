package main

import "strings"

// wimlibOptions returns the options that wimlib-imagex 1.13.5 has for a verb. An abbreviation means the same as there,
// whatever options wimx adds. The lists were found by running it; TestAbbreviationsLikeWimlib compares both.
func wimlibOptions(verb string) []string {
	const (
		capture = "boot check chunk-size compress config create delta-from dereference flags image-property include-integrity no-acls " +
			"no-check no-solid-sort noacls nocheck norpfix not-pipable pipable rebuild rpfix snapshot solid solid-chunk-size solid-compress " +
			"source-list strict-acls threads unix-data unsafe-compact update-of verbose wimboot"
		apply = "check compact include-invalid-names no-acls no-attributes noacls recover-data ref strict-acls unix-data verbose wimboot "
		pack  = "check chunk-size compress include-integrity no-check no-solid-sort nocheck not-pipable pipable recompress solid " +
			"solid-chunk-size solid-compress threads unsafe-compact "
	)
	list := ""
	switch verb {
	case "append", "capture":
		list = capture
	case "apply":
		list = apply + "norpfix rpfix"
	case "delete":
		list = "check include-integrity soft unsafe-compact"
	case "dir":
		list = "detailed one-file-only path ref"
	case "export":
		list = pack + "boot rebuild ref wimboot"
	case "extract":
		list = apply + "dest-dir no-globs no-wildcards nullglob preserve-dir-structure to-stdout"
	case "info":
		list = "blobs boot check extract-xml header image-property include-integrity lookup-table no-check nocheck xml"
	case "join", "split":
		list = "check include-integrity"
	case "optimize":
		list = pack
	case "update":
		list = "check command config dereference force include-integrity no-acls no-replace noacls rebuild recursive strict-acls threads " +
			"unix-data unsafe-compact verbose wimboot-config"
	case "verify":
		list = "nocheck ref"
	}
	return strings.Fields(list)
}
