package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hack-pad/hackpadfs"

	"wimscope/wim/extract"
)

// Lost counts entries that a Target cannot store exactly.
type Lost struct {
	Symlinks  int // left out
	HardLinks int // written as copies
	Times     int // files, folders and links without their times and attributes
	Names     int // refused, including entries of refused folders
}

// Folder writes the entries of an output to a Target. A segment's hard links come after its files, symbolic links after
// everything else, so that none of them is in the path of another entry; the metadata of folders comes last, the deepest
// first. Entries that the target refuses are reported and left out. A Folder is not safe for concurrent use.
type Folder struct {
	Files int   // complete files
	Bytes int64 // of complete files
	Lost  Lost

	parallel int
	t        Target
	links    LinkTarget    // nil if the target has no hard links
	sym      SymlinkTarget // nil if it has no symbolic links
	meta     MetaTarget    // nil if it does not store metadata
	open     []openEntry

	symlinks []*extract.Entry // Finish creates them
	folders  []*extract.Entry // Finish sets their metadata
	refused  []*extract.Problem
}

// openEntry is an entry of a blob whose pieces are coming in. Without a file it becomes a link at the end.
type openEntry struct {
	entry *extract.Entry
	file  File
}

// To returns a Folder that writes to a target, one file at a time.
func To(t Target) *Folder {
	f := &Folder{t: t, parallel: 1}
	f.links, _ = t.(LinkTarget)
	f.sym, _ = t.(SymlinkTarget)
	f.meta, _ = t.(MetaTarget)
	return f
}

// segmentFile is a file or hard link of a segment, with its bytes.
type segmentFile struct {
	e    *extract.Entry
	data []byte
	err  error
}

// Segment writes a segment's entries and returns when they are complete, except symbolic links. The problems are sorted by
// path.
func (f *Folder) Segment(ctx context.Context, seg *extract.Segment) ([]extract.Problem, error) {
	ctx, cancel := context.WithCancel(ctx) // when a file fails
	defer cancel()
	var wg sync.WaitGroup
	var files, links []*segmentFile
	room := make(chan struct{}, f.parallel)
	err := seg.Each(func(p *extract.EntryPiece, data []byte, _ uint32) error {
		if p.Off > 0 || !p.Last {
			if err := ctx.Err(); err != nil {
				return err
			}
			return f.cut(p, data)
		}
		for i := range p.Entries {
			w := &segmentFile{e: &p.Entries[i], data: data}
			err := ctx.Err()
			switch {
			case err != nil:
			case w.e.Kind == extract.EntryHardLink && f.links != nil:
				links = append(links, w)
			case w.e.Kind != extract.EntryFile && w.e.Kind != extract.EntryHardLink:
				err = f.refuse(w.e, f.make(w.e))
			case f.parallel == 1:
				err = f.done(w.e, int64(len(data)), f.write(w.e, data))
			default:
				files = append(files, w)
				room <- struct{}{}
				wg.Go(func() {
					if w.err = f.write(w.e, data); w.err != nil && w.err != errNoMeta && f.refusal(w.err) == nil {
						cancel()
					}
					<-room
				})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	wg.Wait()
	for i := len(files) - 1; i >= 0; i-- { // backward, so that the first error remains
		w := files[i]
		if e := f.done(w.e, int64(len(w.data)), w.err); e != nil {
			err = e
		}
	}
	for i := 0; i < len(links) && err == nil; i++ { // the files that they link to are complete now
		if err = ctx.Err(); err == nil {
			err = f.link(links[i].e, links[i].data, true)
		}
	}
	return f.problems(), err
}

// problems returns the problems so far, sorted by path, since the order in which goroutines finish varies. Sorting pointers
// shares compiled code with the engine's search.
func (f *Folder) problems() []extract.Problem {
	slices.SortStableFunc(f.refused, func(a, b *extract.Problem) int { return cmp.Compare(a.Path, b.Path) })
	var list []extract.Problem
	for _, p := range f.refused {
		list = append(list, *p)
	}
	f.refused = nil
	return list
}

// refusal returns err as a Problem, nil if it is none.
func (f *Folder) refusal(err error) *extract.Problem {
	p, _ := err.(*extract.Problem) // targets do not wrap it
	return p
}

// refuse records err if it is a Problem, as one of e, and returns it otherwise. Paths of folders end in a slash.
func (f *Folder) refuse(e *extract.Entry, err error) error {
	no := f.refusal(err)
	if no == nil {
		return err
	}
	p := *no
	p.Path = "/" + e.Path
	if e.Kind == extract.EntryDir {
		p.Path += "/"
	}
	if p.Reason == "reparse" {
		f.Lost.Symlinks++
	} else {
		f.Lost.Names++
	}
	f.refused = append(f.refused, &p)
	return nil
}

// noLink returns the Problem of a symbolic link that cannot be created.
func noLink(e *extract.Entry) error { return &extract.Problem{Reason: "reparse", Detail: e.Target} }

// make creates a folder or special file, or notes a symbolic link.
func (f *Folder) make(e *extract.Entry) error {
	if e.Kind == extract.EntrySymlink {
		if f.sym == nil {
			return noLink(e)
		}
		f.symlinks = append(f.symlinks, e)
		return nil
	}
	err := f.t.Make(e)
	switch {
	case err != nil || e.Kind != extract.EntryDir:
	case f.meta != nil:
		f.folders = append(f.folders, e)
	default:
		f.Lost.Times++
	}
	return err
}

// write writes a whole file.
func (f *Folder) write(e *extract.Entry, data []byte) error {
	file, err := f.t.Create(e)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		if _, err := file.WriteAt(data, 0); err != nil {
			_ = file.Abort() // the error of writing matters
			return err
		}
	}
	return f.complete(e, file)
}

// complete closes a file and sets its metadata.
func (f *Folder) complete(e *extract.Entry, file File) error {
	if err := file.Close(); err != nil {
		return err
	}
	return f.setMeta(e)
}

// errNoMeta reports an entry that is complete, without its times and attributes.
var errNoMeta = errors.New("no metadata")

// setMeta sets an entry's times and attributes. It returns errNoMeta if the target does not store them.
func (f *Folder) setMeta(e *extract.Entry) error {
	if f.meta == nil {
		return errNoMeta
	}
	err := f.meta.SetMeta(e)
	if errors.Is(err, hackpadfs.ErrNotImplemented) {
		return errNoMeta
	}
	return err
}

// done counts a file of size bytes that is complete unless err says otherwise.
func (f *Folder) done(e *extract.Entry, size int64, err error) error {
	if err = f.noMeta(err); err != nil {
		return f.refuse(e, err)
	}
	f.Files++
	f.Bytes += size
	if e.Kind == extract.EntryHardLink { // written as a copy
		f.Lost.HardLinks++
	}
	return nil
}

// noMeta counts errNoMeta, and returns other errors.
func (f *Folder) noMeta(err error) error {
	if err == errNoMeta {
		f.Lost.Times++
		return nil
	}
	return err
}

// link creates a hard link, or a copy if the target cannot link and data is the whole file.
func (f *Folder) link(e *extract.Entry, data []byte, whole bool) error {
	err := f.links.Link(e)
	if whole && errors.Is(err, hackpadfs.ErrNotImplemented) {
		return f.done(e, int64(len(data)), f.write(e, data))
	}
	if err == nil {
		f.Files++
	}
	return f.refuse(e, err)
}

// cut writes a piece of a blob that comes in several. If the blob turns out to be damaged, its files are discarded at the
// last piece.
func (f *Folder) cut(p *extract.EntryPiece, data []byte) error {
	if p.Off == 0 {
		if err := f.begin(p.Entries); err != nil {
			return err
		}
	}
	for _, o := range f.open {
		if o.file == nil {
			continue
		}
		if _, err := o.file.WriteAt(data, p.Off); err != nil {
			return err
		}
	}
	switch {
	case !p.Last:
		return nil
	case p.Drop:
		f.giveUp()
		return nil
	}
	return f.end(p.Off + p.Len)
}

// begin opens the files of a blob in pieces.
func (f *Folder) begin(entries []extract.Entry) error {
	if len(f.open) > 0 {
		return fmt.Errorf("a blob begins before the last one ended: %w", extract.ErrSegment)
	}
	for i := range entries {
		e := &entries[i]
		var file File
		if e.Kind != extract.EntryHardLink || f.links == nil || len(f.open) == 0 {
			var err error
			if file, err = f.t.Create(e); err != nil {
				if err = f.refuse(e, err); err != nil {
					return err
				}
				continue
			}
		}
		f.open = append(f.open, openEntry{e, file})
	}
	return nil
}

// end completes the files of a blob in pieces, which has size bytes, then the links to them.
func (f *Folder) end(size int64) error {
	all := f.open
	for i := len(all) - 1; i >= 0; i-- {
		o := all[i]
		f.open = all[:i]
		if o.file == nil {
			continue
		}
		if err := f.done(o.entry, size, f.complete(o.entry, o.file)); err != nil {
			return err
		}
	}
	for _, o := range all {
		if o.file != nil {
			continue
		}
		if err := f.link(o.entry, nil, false); err != nil {
			return err
		}
	}
	return nil
}

// giveUp discards the files of the blob whose pieces are coming in.
func (f *Folder) giveUp() {
	for _, o := range f.open {
		if o.file != nil {
			_ = o.file.Abort() // it is not missed
		}
	}
	f.open = nil
}

// Create creates a file that the caller writes. The file is complete when Complete returns.
func (f *Folder) Create(p string) (File, error) {
	e := &extract.Entry{Path: p}
	file, err := f.t.Create(e)
	if f.refusal(err) != nil {
		err = &hackpadfs.PathError{Op: "create", Path: p, Err: ErrRefused}
	}
	if err == nil {
		f.open = append(f.open, openEntry{e, file})
	}
	return file, err
}

// Complete closes the files that Create opened.
func (f *Folder) Complete() error {
	for len(f.open) > 0 {
		o := f.open[0]
		f.open = f.open[1:]
		if err := o.file.Close(); err != nil {
			return err
		}
		f.Files++
	}
	return nil
}

// Finish creates the symbolic links and sets the metadata of folders. It returns the links that could not be created. It
// fails if the last piece of a blob is missing.
func (f *Folder) Finish() ([]extract.Problem, error) {
	if len(f.open) > 0 {
		return nil, fmt.Errorf("a blob ended before its last piece: %w", extract.ErrSegment)
	}
	for _, e := range f.symlinks {
		err := f.sym.Symlink(e)
		if err == nil {
			err = f.noMeta(f.setMeta(e))
		}
		if err = f.refuse(e, err); err != nil {
			return f.problems(), err
		}
	}
	for i := len(f.folders) - 1; i >= 0; i-- { // a plan lists folders before their entries
		if err := f.noMeta(f.setMeta(f.folders[i])); err != nil {
			return f.problems(), err
		}
	}
	f.symlinks, f.folders = nil, nil
	return f.problems(), nil
}

// Abort removes files that are incomplete, and what else the target can remove of what was created.
func (f *Folder) Abort() error {
	f.giveUp()
	if t, ok := f.t.(interface{ Abort() error }); ok {
		return t.Abort()
	}
	return nil
}
