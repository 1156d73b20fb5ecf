package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"wimscope/wim"
	"wimscope/wim/format"
	"wimscope/wim/shard"
	"wimscope/worker/protocol"
)

const (
	namesStep  = 16 << 10 // entries in one shard of a file list: about 60 ms of work
	namesBytes = 4 << 20  // bytes at which a shard ends: a hostile tree may have long paths
)

const namesHeader = "image,path,kind,size,modified,created,accessed,attributes,short name,sha1,names,target\r\n"

// namesPlan writes a file list as CSV (RFC 4180, UTF-8). The session itself produces the text, shard by shard; shard
// workers are not involved.
type namesPlan struct {
	s      *session
	nodes  []wim.Node // the roots of the list, in each image
	shards []namesShard
	stage  shard.Stage // zero once it has begun
	files  int
	dirs   int

	image int // whose entries are in order; 0: none
	order []wim.Node
}

type namesShard struct {
	image    int
	from, to int // in the image's order
}

func (s *session) planNames(w *Work, req protocol.PlanRequest) (*Job, protocol.PlanReply, error) {
	p := &namesPlan{s: s}
	images := []int{req.Image}
	if req.Image == 0 {
		images = nil
		for _, im := range s.a.Images() {
			images = append(images, im.Index)
		}
	}
	rep := protocol.PlanReply{Name: baseName(s.info) + "-files.csv"}
	for _, n := range req.Nodes {
		if req.Image == 0 {
			return nil, rep, badRequest("a selection needs an image")
		}
		if _, _, err := s.node(req.Image, n); err != nil {
			return nil, rep, err
		}
		p.nodes = append(p.nodes, wim.Node(n))
	}
	if len(p.nodes) == 0 {
		p.nodes = []wim.Node{0}
	}
	slices.SortFunc(p.nodes, cmp.Compare) // in the program anyway; slices.Sort would add code
	p.nodes = slices.Compact(p.nodes)
	rep.OutSize = int64(len(namesHeader))
	var line []byte
	for _, i := range images {
		im, err := p.load(w, i)
		if err != nil {
			if req.Image == 0 && protocolCode(err) != protocol.CodeCancelled {
				rep.Skipped = append(rep.Skipped, protocol.Problem{Image: i, Path: "/", Reason: "damaged", Detail: err.Error()})
				rep.SkippedN++
				continue
			}
			return nil, rep, err
		}
		from, size := 0, 0
		for k, n := range p.order {
			if k%64 == 0 {
				if err := w.rest(); err != nil {
					return nil, rep, err
				}
			}
			line = appendNames(line[:0], im, i, n)
			rep.OutSize += int64(len(line))
			if size += len(line); k-from == namesStep || size > namesBytes {
				p.shards = append(p.shards, namesShard{i, from, k})
				from, size = k, len(line)
			}
			if im.IsDir(n) {
				p.dirs++
			} else {
				p.files++
			}
		}
		p.shards = append(p.shards, namesShard{i, from, len(p.order)})
	}
	if len(p.shards) == 0 { // no images: only the header
		p.shards = append(p.shards, namesShard{})
	}
	rep.Files, rep.Bytes, rep.Items = 1, rep.OutSize, p.files+p.dirs
	p.stage = shard.Stage{Name: string(protocol.Names), Shards: len(p.shards), Bytes: rep.Bytes, Items: rep.Items}
	return &Job{Plan: p, Attach: p.attach, Report: p.report}, rep, nil
}

// load loads an image and sets p.order to the entries to list: depth first, a folder before its entries.
func (p *namesPlan) load(w *Work, image int) (*wim.Image, error) {
	im, err := p.s.image(image)
	if err != nil {
		return nil, err
	}
	if p.image == image {
		return im, nil
	}
	p.order, p.image = p.order[:0], 0
	stack := slices.Clone(p.nodes)
	slices.Reverse(stack)
	seen := make([]bool, im.Len()) // a selection may contain a folder and also entries in it
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		p.order = append(p.order, n)
		if !im.IsDir(n) {
			continue
		}
		children := im.List(n, wim.ByName, false, nil)
		slices.Reverse(children)
		stack = append(stack, children...)
		if err := w.rest(); err != nil {
			return nil, err
		}
	}
	p.image = image
	return im, nil
}

// Next implements shard.Plan.
func (p *namesPlan) Next() (shard.Stage, bool, error) {
	st := p.stage
	p.stage = shard.Stage{}
	return st, st.Shards > 0, nil
}

// Shard implements shard.Plan. The shards are empty: there is nothing to run.
func (p *namesPlan) Shard(i int) (*shard.Shard, error) {
	if i < 0 || i >= len(p.shards) {
		return nil, notFound(fmt.Sprintf("no shard %d", i))
	}
	return &shard.Shard{Seq: i}, nil
}

// attach returns the text of a shard, and no entries.
func (p *namesPlan) attach(w *Work, s *shard.Shard, _ []byte, rep *protocol.ShardReply) ([]any, error) {
	sh := p.shards[s.Seq]
	var text []byte
	if s.Seq == 0 {
		text = append(text, namesHeader...)
	}
	if sh.to > sh.from {
		im, err := p.load(w, sh.image)
		if err != nil {
			return nil, err
		}
		for _, n := range p.order[sh.from:sh.to] {
			text = appendNames(text, im, sh.image, n)
		}
	}
	rep.Bytes, rep.Items = int64(len(text)), sh.to-sh.from
	return []any{text, []byte(nil)}, nil
}

// Merge implements shard.Plan.
func (p *namesPlan) Merge(int, *shard.Result) ([]shard.BlockMark, error) { return nil, nil }

func (p *namesPlan) report(*Work) (protocol.Report, error) {
	return protocol.Report{Op: protocol.Names, OK: true, Written: 1, Text: fmt.Sprintf("Listed %d files and %d folders.\n", p.files, p.dirs)}, nil
}

// formula contains the characters that start a formula, their full-width forms, which some spreadsheets accept, and the
// whitespace that spreadsheets skip before a formula.
const formula = "=+-@\t\r\n＝＋－＠"

// appendNames appends the line of one entry.
func appendNames(b []byte, im *wim.Image, image int, n wim.Node) []byte {
	b = strconv.AppendInt(b, int64(image), 10)
	b = append(b, ',')
	b = appendCell(b, im.Path(n))
	b = append(b, ',')
	b = append(b, kind(im, n)...)
	b = append(b, ',')
	if !im.IsDir(n) {
		b = strconv.AppendInt(b, im.Size(n), 10)
	}
	for _, t := range []format.Filetime{im.Modified(n), im.Created(n), im.Accessed(n)} {
		b = append(b, ',')
		b = appendCell(b, timeText(t))
	}
	b = append(b, ',')
	b = append(b, format.AttrLetters(im.Attributes(n))...)
	b = append(b, ',')
	b = appendCell(b, im.ShortName(n))
	b = append(b, ',')
	if h := im.Hash(n); !h.IsZero() {
		b = append(b, h.String()...)
	}
	b = append(b, ',')
	if !im.IsDir(n) {
		b = strconv.AppendInt(b, int64(im.HardLinkCount(n)), 10)
	}
	b = append(b, ',')
	if im.ReparseTag(n) != 0 {
		target, bad := linkTarget(im, n)
		if bad {
			target = "(damaged or missing)"
		}
		b = appendCell(b, target)
	}
	return append(b, '\r', '\n')
}

// appendCell appends a cell, quoted if necessary. Names are untrusted, so a cell that a spreadsheet would run as a
// formula gets a leading apostrophe. [OWASP, CSV Injection]
func appendCell(b []byte, s string) []byte {
	if r, _ := utf8.DecodeRuneInString(s); strings.ContainsRune(formula, r) && s != "" {
		s = "'" + s
	}
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// baseName returns the archive's name without its extension.
func baseName(in *wim.Info) string {
	if in.First >= len(in.Parts) {
		return "archive"
	}
	name := in.Parts[in.First].Name
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		name = name[:i]
	}
	if name == "" {
		return "archive"
	}
	return name
}
