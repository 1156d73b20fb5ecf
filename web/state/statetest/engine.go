// Package statetest has a fake engine and a fake browser, for tests of the page's model and components.
package statetest

import (
	"context"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"

	"wimscope/web/state"
	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// Engine opens fake archives.
type Engine struct {
	mu    sync.Mutex
	Fail  error               // error of Open
	Made  *Session            // result of Open; if nil, NewSession()
	Sorts *protocol.SortReply // result of Sort; if nil, all files are one archive
	Opens []pool.Files
	Jobs  []*Job
}

// Open implements state.Engine.
func (e *Engine) Open(_ context.Context, files pool.Files) (state.Session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Opens = append(e.Opens, files)
	if e.Fail != nil {
		return nil, e.Fail
	}
	s := e.Made
	if s == nil {
		s = NewSession()
	}
	s.files = files
	return s, nil
}

// Sort implements state.Engine.
func (e *Engine) Sort(_ context.Context, files []pool.File) (protocol.SortReply, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.Sorts != nil {
		return *e.Sorts, nil
	}
	var all protocol.Dropped
	for i := range files {
		all.Files = append(all.Files, i)
	}
	return protocol.SortReply{Archives: []protocol.Dropped{all}}, nil
}

// Start implements state.Engine. The job runs until the test ends it.
func (e *Engine) Start(_ state.Session, spec pool.JobSpec) state.Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	j := &Job{Spec: spec, end: make(chan struct{})}
	e.Jobs = append(e.Jobs, j)
	return j
}

// LastJob returns the job that was started last, nil if none was.
func (e *Engine) LastJob() *Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.Jobs) == 0 {
		return nil
	}
	return e.Jobs[len(e.Jobs)-1]
}

// Memory implements state.Engine.
func (e *Engine) Memory(context.Context) int64 { return 34_000_000 }

// Workers implements state.Engine.
func (e *Engine) Workers() int { return 2 }

// Job is a fake job that runs until the test ends it.
type Job struct {
	Spec   pool.JobSpec
	Result pool.Result
	Err    error

	mu        sync.Mutex
	end       chan struct{}
	ended     bool
	Paused    bool
	Cancelled bool
}

// End ends the job.
func (j *Job) End(r pool.Result, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.ended {
		j.Result, j.Err, j.ended = r, err, true
		close(j.end)
	}
}

// Cancel implements state.Job.
func (j *Job) Cancel() {
	j.Cancelled = true
	j.End(pool.Result{}, &protocol.Error{Code: protocol.CodeCancelled, Message: "cancelled"})
}

// Pause implements state.Job.
func (j *Job) Pause() { j.Paused = true }

// Resume implements state.Job.
func (j *Job) Resume() { j.Paused = false }

// Wait implements state.Job.
func (j *Job) Wait() (pool.Result, error) {
	<-j.end
	return j.Result, j.Err
}

// Session is a fake archive: two images with a few folders, of which /many has Many files.
type Session struct {
	Check     protocol.Check // result of Read has it
	Info      protocol.Archive
	Many      int
	Lacking   int               // blobs in other archives
	Lost      int               // losses in trees
	ReadFails error             // error of Read
	Texts     map[string]string // contents by path
	Closed    bool

	mu      sync.Mutex
	plans   []protocol.PlanRequest
	dropped []int
	onPlan  func(protocol.PlanRequest) (protocol.PlanReply, error)

	files pool.Files
	nodes []node
}

type node struct {
	row    protocol.Row
	parent int32
	kids   []int32
}

// NewSession returns an archive.
func NewSession() *Session {
	s := &Session{Many: 1000, Texts: map[string]string{}}
	s.Info = protocol.Archive{Name: "install.wim", GUID: "00112233445566778899aabbccddeeff", Version: "1.13", Size: 4_942_118_733,
		Codec: "LZX", ChunkSize: 32768, Blobs: 58214, BlobBytes: 11_800_000_000, PackedBytes: 4_900_000_000, TotalParts: 1,
		Parts:   []protocol.Part{{Name: "install.wim", Number: 1, Size: 4_942_118_733}},
		Regions: []protocol.Region{{Kind: "header", Len: 208}, {Kind: "data", Off: 208, Len: 4_942_118_733 - 208 - 14100}, {Kind: "xml", Off: 4_942_118_733 - 14100, Len: 14100}},
		Flags:   []string{"COMPRESSION", "RP_FIX", "COMPRESS_LZX"},
		Fields:  []protocol.Field{{Name: "Magic", Size: 8, Value: "MSWIM", Meaning: "it is a WIM"}, {Name: "Flags", Off: 16, Size: 4, Value: "0x40082", Meaning: "what a reader must expect"}},
		Images: []protocol.Image{
			{Index: 1, Name: "Windows 11 Home", DisplayName: "Windows 11 Home", Edition: "Core", Arch: "x64", Languages: []string{"en-US"}, Version: "10.0.26100.1", Files: 98002, Dirs: 21001, Bytes: 15_000_000_000, Created: "2025-04-01T07:22:00Z", Modified: "2025-09-05T12:11:08Z"},
			{Index: 2, Name: "Windows 11 Pro", DisplayName: "Windows 11 Pro", Edition: "Professional", Arch: "x64", Languages: []string{"en-US"}, Version: "10.0.26100.1", Files: 98112, Dirs: 21050, Bytes: 15_200_000_000, Boot: true},
		}}
	s.add("", -1, protocol.Row{Dir: true})
	win := s.add("Windows", 0, protocol.Row{Dir: true})
	s32 := s.add("System32", win, protocol.Row{Dir: true})
	s.add("drivers", s32, protocol.Row{Dir: true})
	s.add("notepad.exe", s32, protocol.Row{Size: 360_448, Attrs: 0x20, Links: 2})
	s.add("license.rtf", s32, protocol.Row{Size: 71_209, Attrs: 0x20})
	s.add("desktop.ini", s32, protocol.Row{Size: 282, Attrs: 0x26})
	s.add("Fonts", win, protocol.Row{Dir: true})
	s.add("many", 0, protocol.Row{Dir: true})
	s.add("Recovery", 0, protocol.Row{Attrs: 0x410, Link: `C:\Recovery`, Reparse: 0xa000000c})
	s.add("readme.txt", 0, protocol.Row{Size: 12, Attrs: 0x20, Streams: 1})
	s.Texts["/readme.txt"] = "hello\nworld\n"
	s.Check = protocol.CheckGood
	return s
}

// Add adds an entry to the root.
func (s *Session) Add(name string, row protocol.Row) { s.add(name, 0, row) }

func (s *Session) add(name string, parent int32, row protocol.Row) int32 {
	n := int32(len(s.nodes))
	row.Node, row.Name = n, name
	row.Modified = 134_015_598_684_219_371
	if row.Dir {
		row.Attrs |= 0x10
	}
	s.nodes = append(s.nodes, node{row: row, parent: parent})
	if parent >= 0 {
		s.nodes[parent].kids = append(s.nodes[parent].kids, n)
		s.nodes[parent].row.Folders = s.nodes[parent].row.Folders || row.Dir
	}
	return n
}

// Put adds an entry to an existing folder.
func (s *Session) Put(folder, name string, row protocol.Row) {
	n, ok := s.find(folder)
	if !ok {
		panic("statetest: no folder " + folder)
	}
	s.add(name, n, row)
}

// manyBase is the first node of the files of /many, which are generated on request.
const manyBase = 1_000_000

func (s *Session) row(n int32) (protocol.Row, int32, bool) {
	if n >= manyBase && int(n-manyBase) < s.Many {
		parent, _ := s.find("/many")
		return protocol.Row{Node: n, Name: fmt.Sprintf("file%06d.dat", n-manyBase), Size: int64(n - manyBase), Attrs: 0x20, Modified: 134_015_598_684_219_371}, parent, true
	}
	if n < 0 || int(n) >= len(s.nodes) {
		return protocol.Row{}, 0, false
	}
	return s.nodes[n].row, s.nodes[n].parent, true
}

func (s *Session) kids(n int32) []int32 {
	if s.nodes[n].row.Name == "many" {
		out := make([]int32, s.Many)
		for i := range out {
			out[i] = manyBase + int32(i)
		}
		return out
	}
	return s.nodes[n].kids
}

func (s *Session) path(n int32) string {
	if n == 0 {
		return "/"
	}
	r, up, _ := s.row(n)
	return path.Join(s.path(up), r.Name)
}

func (s *Session) find(p string) (int32, bool) {
	n := int32(0)
next:
	for step := range strings.SplitSeq(strings.Trim(p, "/"), "/") {
		if step == "" {
			continue
		}
		for _, k := range s.kids(n) {
			if r, _, _ := s.row(k); strings.EqualFold(r.Name, step) {
				n = k
				continue next
			}
		}
		return 0, false
	}
	return n, true
}

var errNotFound = &protocol.Error{Code: protocol.CodeNotFound, Message: "no such entry"}

// Archive implements state.Session.
func (s *Session) Archive() protocol.Archive { return s.Info }

// Files implements state.Session.
func (s *Session) Files() pool.Files { return s.files }

// OnState implements state.Session.
func (s *Session) OnState(func(pool.SessionState, *protocol.Error)) {}

// Close implements state.Session.
func (s *Session) Close() { s.Closed = true }

// List implements state.Session.
func (s *Session) List(_ context.Context, q protocol.ListRequest) (protocol.ListReply, error) {
	if int(q.Node) >= len(s.nodes) || !s.nodes[q.Node].row.Dir {
		return protocol.ListReply{}, errNotFound
	}
	var rows []protocol.Row
	rep := protocol.ListReply{Start: q.Start, Seek: -1, Find: -1, Lost: s.Lost}
	for _, k := range s.kids(q.Node) {
		r, _, _ := s.row(k)
		rep.All++
		if q.Filter != "" && !strings.Contains(strings.ToLower(r.Name), strings.ToLower(q.Filter)) {
			continue
		}
		rows = append(rows, r)
		if r.Dir {
			rep.Dirs++
		}
		rep.Bytes += r.Size
	}
	sort.SliceStable(rows, func(i, j int) bool {
		if rows[i].Dir != rows[j].Dir {
			return rows[i].Dir
		}
		less := strings.ToLower(rows[i].Name) < strings.ToLower(rows[j].Name)
		if q.Sort == "size" && rows[i].Size != rows[j].Size {
			less = rows[i].Size < rows[j].Size
		}
		return less != q.Desc
	})
	rep.Total = len(rows)
	for i, r := range rows {
		if q.Find != 0 && r.Node == q.Find {
			rep.Find = i
		}
		if q.Seek != "" && rep.Seek < 0 && i >= q.Start && strings.HasPrefix(strings.ToLower(r.Name), strings.ToLower(q.Seek)) {
			rep.Seek = i
		}
	}
	from := min(q.Start, len(rows))
	rep.Rows = rows[from:min(from+q.Count, len(rows))]
	for n := q.Node; ; {
		r, up, _ := s.row(n)
		rep.Path = append([]protocol.Crumb{{Node: n, Name: r.Name}}, rep.Path...)
		if n == 0 {
			break
		}
		n = up
	}
	return rep, nil
}

// Tree implements state.Session.
func (s *Session) Tree(_ context.Context, q protocol.TreeRequest) (protocol.TreeReply, error) {
	open := map[int32]bool{}
	for _, n := range q.Expanded {
		open[n] = true
	}
	var rows []protocol.Row
	var walk func(n int32, depth int)
	walk = func(n int32, depth int) {
		for _, k := range s.nodes[n].kids {
			r := s.nodes[k].row
			if !r.Dir {
				continue
			}
			r.Depth, r.Open = depth, open[k] && r.Folders
			rows = append(rows, r)
			if r.Open {
				walk(k, depth+1)
			}
		}
	}
	walk(0, 1)
	rep := protocol.TreeReply{Start: q.Start, Total: len(rows), Find: -1}
	for i, r := range rows {
		if r.Node == q.Find {
			rep.Find = i
		}
	}
	from := min(q.Start, len(rows))
	rep.Rows = rows[from:min(from+q.Count, len(rows))]
	return rep, nil
}

// Find implements state.Session.
func (s *Session) Find(_ context.Context, q protocol.FindRequest) (protocol.Row, error) {
	n, ok := s.find(q.Path)
	if !ok {
		return protocol.Row{}, errNotFound
	}
	r, _, _ := s.row(n)
	return r, nil
}

// Stat implements state.Session.
func (s *Session) Stat(_ context.Context, q protocol.StatRequest) (protocol.Details, error) {
	r, _, ok := s.row(q.Node)
	if !ok {
		return protocol.Details{}, errNotFound
	}
	d := protocol.Details{Row: r, FullPath: s.path(q.Node), ModifiedAt: "2025-09-05 12:11:08.4219371 UTC", CreatedAt: "2025-09-05 12:11:08.4219371 UTC",
		AttrNames: []string{"archive"}, Owner: "TrustedInstaller", SDDL: "O:S-1-5-80G:SYD:(A;;FA;;;SY)",
		Access: []protocol.Access{{Kind: "allow", Who: "SYSTEM", Rights: "full control"}}}
	if !r.Dir && r.Size > 0 {
		d.Type = "Windows executable, x64"
		d.FileVersion = "11.2508.28.0"
		d.Hash = "9f2c41d06be7a3f00112233445566778899aabbc"
		d.Stored = &protocol.Stored{PartName: "install.wim", Off: 0x4A61F3B2, PackedSize: 151_233, Size: r.Size, Codec: "LZX", ChunkSize: 32768, Chunks: 11,
			Ratios: []uint8{42, 40, 61, 12, 100, 42, 43, 44, 30, 20, 11}, RefCount: 22}
	}
	if r.Links > 1 {
		d.LinkPaths = []string{"/Windows/notepad.exe"}
		d.ShortName = "NOTEPAD.EXE"
	}
	if r.Streams > 0 {
		d.StreamList = []protocol.Stream{{Name: "Zone.Identifier", Size: 26}}
	}
	return d, nil
}

// Read implements state.Session.
func (s *Session) Read(_ context.Context, q protocol.ReadRequest) (protocol.ReadReply, []byte, error) {
	r, _, ok := s.row(q.Node)
	if !ok {
		return protocol.ReadReply{}, nil, errNotFound
	}
	if s.ReadFails != nil {
		return protocol.ReadReply{}, nil, s.ReadFails
	}
	text, isText := s.Texts[s.path(q.Node)]
	rep := protocol.ReadReply{Off: q.Off, Size: r.Size, Check: s.Check}
	if isText {
		rep.Size = int64(len(text))
	}
	if q.Want == "text" {
		if isText {
			rep.Text, rep.Encoding, rep.Markup = text[:min(len(text), q.Len)], "UTF-8", strings.HasPrefix(text, "<")
		}
		return rep, nil, nil
	}
	data := make([]byte, min(int64(q.Len), rep.Size-q.Off))
	for i := range data {
		data[i] = byte(q.Off) + byte(i)
	}
	return rep, data, nil
}

// Search implements state.Session.
func (s *Session) Search(_ context.Context, q protocol.SearchRequest, progress func(protocol.SearchReply)) (protocol.SearchReply, error) {
	rep := protocol.SearchReply{Of: len(s.Info.Images), Done: len(s.Info.Images)}
	for n := range s.nodes {
		r := s.nodes[n].row
		if n == 0 || !strings.Contains(strings.ToLower(r.Name), strings.ToLower(q.Query)) {
			continue
		}
		g := protocol.Group{Name: r.Name, Size: r.Size, Dir: r.Dir}
		for _, im := range s.Info.Images {
			g.Hits = append(g.Hits, protocol.Hit{Image: im.Index, Node: int32(n), Path: s.path(int32(n))})
		}
		g.Count = len(g.Hits)
		rep.Hits += g.Count
		rep.Groups = append(rep.Groups, g)
	}
	rep.Total = len(rep.Groups)
	if progress != nil {
		progress(rep)
	}
	return rep, nil
}

// Uses implements state.Session.
func (s *Session) Uses(context.Context, protocol.UsesRequest) (protocol.UsesReply, error) {
	return protocol.UsesReply{Total: 4, PerImage: []int{2, 2}, Hits: []protocol.Hit{{Image: 1, Path: "/Windows/System32/notepad.exe"}, {Image: 2, Path: "/Windows/notepad.exe"}}}, nil
}

// Lacks implements state.Session.
func (s *Session) Lacks(context.Context) (protocol.Elsewhere, error) {
	return protocol.Elsewhere{Blobs: s.Lacking, Known: true}, nil
}

// XML implements state.Session.
func (s *Session) XML(context.Context) (protocol.XMLReply, error) {
	return protocol.XMLReply{Pretty: "<WIM>\n  <TOTALBYTES>1</TOTALBYTES>\n</WIM>", Raw: "<WIM><TOTALBYTES>1</TOTALBYTES></WIM>"}, nil
}

// Version implements state.Session.
func (s *Session) Version(_ context.Context, q protocol.VersionRequest) (protocol.VersionReply, error) {
	return protocol.VersionReply{Version: "10.0.26100.2033", Path: "/Windows/System32/ntoskrnl.exe"}, nil
}

// Windows implements state.Session.
func (s *Session) Windows(_ context.Context, q protocol.VersionRequest) (protocol.WindowsReply, error) {
	if q.Image > 1 {
		return protocol.WindowsReply{}, &protocol.Error{Code: protocol.CodeNotFound, Message: "no Windows"}
	}
	return protocol.WindowsReply{
		Root: "/Windows", Build: "10.0.26100.2033", Branch: "ge_release", Lab: "26100.1.amd64fre.ge_release.240331-1435",
		Differences: []protocol.Difference{{Property: "WINDOWS/ARCH", XML: "0", Image: "9"}, {Property: "WINDOWS/HAL", Image: "acpiapic"}},
		Problems:    []string{"/Windows/System32/config/SYSTEM: regf: corrupt hive"},
	}, nil
}

// Plan implements state.Session.
func (s *Session) Plan(_ context.Context, q protocol.PlanRequest) (protocol.PlanReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plans = append(s.plans, q)
	if s.onPlan != nil {
		return s.onPlan(q)
	}
	rep := protocol.PlanReply{Plan: len(s.plans), Files: 3, Dirs: 1, Bytes: 1000, OutSize: 1234, Name: "System32." + string(q.Format)}
	if q.Format == protocol.Folder {
		rep.Name = "System32"
		rep.Refused = 1
		rep.Refusals = []protocol.Problem{{Path: "/Windows/System32/desktop.ini", Reason: "name-extension"}}
	}
	return rep, nil
}

// DropPlan implements state.Session.
func (s *Session) DropPlan(_ context.Context, plan int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped = append(s.dropped, plan)
	return nil
}

// OnPlan makes f return the plans from now on.
func (s *Session) OnPlan(f func(protocol.PlanRequest) (protocol.PlanReply, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onPlan = f
}

// Plans returns the plans that were requested.
func (s *Session) Plans() []protocol.PlanRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.plans)
}

// Dropped returns the numbers of the plans that were dropped.
func (s *Session) Dropped() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dropped)
}
