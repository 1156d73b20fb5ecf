package state

import (
	"context"

	"wimscope/worker/protocol"
)

// Choice asks which of several archives is to be opened that were dropped or picked together.
type Choice struct {
	Options []Option
}

// Option is one of these archives.
type Option struct {
	Name   string
	Size   int64 // bytes, all parts
	Images int
	With   string // names of the archives that have blobs it lacks, "" if there are none

	parts, refs []File
}

// openNew opens files that are not added to the open archive. Several files may be the parts of one archive, archives
// with blobs that another lacks, or unrelated.
func (o *Opener) openNew(files []File) {
	if len(files) == 1 {
		o.open(files, nil, false)
		return
	}
	serial := o.begin(files)
	rep, err := o.engine.Sort(context.Background(), poolFiles(files))
	var one *Option
	o.host.update(func() {
		if serial != o.serial {
			return
		}
		if err != nil {
			o.Opening = ""
			o.refuse(err, files)
			return
		}
		options, rest := options(rep, files)
		switch len(options) {
		case 0: // the first file that was refused stands for all
			o.Opening = ""
			if len(rep.Refused) > 0 {
				r := &rep.Refused[0]
				o.refuse(&r.Error, []File{files[r.File]})
				if r.Error.Code == protocol.CodeMissingPart {
					o.pending = files
				}
			}
			return
		case 1:
			one = &options[0]
		default:
			o.Opening = ""
			o.Choice = &Choice{Options: options}
			o.host.announce("choose.title", len(options))
		}
		for i := range rep.Refused {
			rest = append(rest, files[rep.Refused[i].File])
		}
		if len(rest) > 0 {
			o.host.note(o.host.T("open.left-out", len(rest), fileNames(rest)), true)
		}
	})
	if one != nil {
		o.open(one.parts, one.refs, false)
	}
}

// options returns the archives that a user may want to open, and the files that none of them needs. An archive that
// another needs is not an option, unless each is needed by another.
func options(rep protocol.SortReply, files []File) (list []Option, rest []File) {
	all := rep.Archives
	needed := make([]bool, len(all))
	for i := range all {
		for _, n := range all[i].Needs {
			needed[n] = true
		}
	}
	var mains []int
	for _, asked := range []func(i int) bool{
		func(i int) bool { return !needed[i] && all[i].Images > 0 },
		func(i int) bool { return all[i].Images > 0 },
		func(int) bool { return true }, // blobs without images, which can be verified
	} {
		for i := range all {
			if asked(i) {
				mains = append(mains, i)
			}
		}
		if len(mains) > 0 {
			break
		}
	}
	used := make([]bool, len(all))
	of := func(i int) (out []File) {
		for _, f := range all[i].Files {
			out = append(out, files[f])
		}
		return out
	}
	for _, m := range mains {
		used[m] = true
		o := Option{Size: all[m].Size, Images: all[m].Images, parts: of(m)}
		o.Name = o.parts[0].Name
		// What it needs, and what that needs in turn: a delta may refer to another delta.
		queue, seen := []int{m}, map[int]bool{m: true}
		for len(queue) > 0 {
			for _, n := range all[queue[0]].Needs {
				if !seen[n] {
					seen[n], used[n] = true, true
					queue = append(queue, n)
					refs := of(n)
					o.refs = append(o.refs, refs...)
					if o.With != "" {
						o.With += ", "
					}
					o.With += refs[0].Name
				}
			}
			queue = queue[1:]
		}
		list = append(list, o)
	}
	for i := range all {
		if !used[i] {
			rest = append(rest, of(i)...)
		}
	}
	return list, rest
}

// ChooseOption opens option i of the choice.
func (o *Opener) ChooseOption(i int) {
	var one *Option
	o.host.update(func() {
		if c := o.Choice; c != nil && i >= 0 && i < len(c.Options) {
			one = &c.Options[i]
		}
		o.Choice = nil
	})
	if one != nil {
		go o.open(one.parts, one.refs, false)
	}
}

// CloseChoice closes the choice and opens nothing.
func (o *Opener) CloseChoice() {
	o.host.update(func() { o.Choice = nil })
}
