package state

import (
	"context"
	"errors"
	"time"

	"wimscope/worker/pool"
	"wimscope/worker/protocol"
)

// ErrDismissed is the error of a picker that was closed without a choice.
var ErrDismissed = errors.New("state: the picker was dismissed")

// Engine opens archives and runs jobs. [FromPool] makes one of a *pool.Pool.
type Engine interface {
	Sort(ctx context.Context, files []pool.File) (protocol.SortReply, error)
	Open(ctx context.Context, files pool.Files) (Session, error)
	Start(s Session, spec pool.JobSpec) Job
	Memory(ctx context.Context) int64 // linear memory of all workers, bytes
	Workers() int
}

// Session is one open archive. *pool.Session implements it.
type Session interface {
	Archive() protocol.Archive
	Files() pool.Files
	OnState(func(pool.SessionState, *protocol.Error))
	Close()
	List(context.Context, protocol.ListRequest) (protocol.ListReply, error)
	Tree(context.Context, protocol.TreeRequest) (protocol.TreeReply, error)
	Find(context.Context, protocol.FindRequest) (protocol.Row, error)
	Stat(context.Context, protocol.StatRequest) (protocol.Details, error)
	Read(context.Context, protocol.ReadRequest) (protocol.ReadReply, []byte, error)
	Search(context.Context, protocol.SearchRequest, func(protocol.SearchReply)) (protocol.SearchReply, error)
	Uses(context.Context, protocol.UsesRequest) (protocol.UsesReply, error)
	Lacks(context.Context) (protocol.Elsewhere, error)
	XML(context.Context) (protocol.XMLReply, error)
	Version(context.Context, protocol.VersionRequest) (protocol.VersionReply, error)
	Windows(context.Context, protocol.VersionRequest) (protocol.WindowsReply, error)
	Plan(context.Context, protocol.PlanRequest) (protocol.PlanReply, error)
	DropPlan(context.Context, int) error
}

// Job is a running job. *pool.Job implements it.
type Job interface {
	Cancel()
	Pause()
	Resume()
	Wait() (pool.Result, error)
}

// File is a file that the user picked, dropped or pasted.
type File struct {
	Name     string
	Size     int64
	Modified int64 // milliseconds since 1970
	Value    any   // the browser's File, as the pool's connections carry it
	Handle   any   // a FileSystemFileHandle to reopen it later; nil if the browser has none
}

// Recent is an archive that was open before. Without Handles it can be opened again only by dropping it.
type Recent struct {
	ID      string // of the archive, see ArchiveID
	Name    string
	Size    int64
	Images  int
	When    time.Time
	Handles []any
	State   RecentState
}

// RecentState is what opening a recent archive requires.
type RecentState uint8

const (
	RecentReady   RecentState = iota
	RecentAsks                // the browser will ask for permission
	RecentMissing             // it must be dropped again
)

// Caps lists what this browser can do.
type Caps struct {
	OpenPicker, SavePicker, FolderPicker bool
	DropHandles                          bool // dropped files come with handles, by which they can be reopened another day
	WakeLock                             bool
	Coarse                               bool   // the primary pointer is a finger, not a mouse
	Names                                string // the system whose rules for file names it enforces in folders: "windows", "mac", "linux"

	// Results of trials; false until tried.
	Settings bool // small values such as the theme
	Database bool // recent files
	Locks    bool
	OPFS     bool  // the browser's own store, where large outputs are assembled
	Room     int64 // its free bytes, -1 if unknown
}

// Platform is what the page needs of the browser. Methods that return an error may wait for the user or the browser:
// call them from a goroutine of their own, immediately after the gesture that they require. The others return at once.
type Platform interface {
	Now() time.Time
	Caps() Caps // immediate, without trials
	Try() Caps
	Room(need int64) int64 // frees space in the browser's own store if need bytes do not fit; returns the free bytes, -1 if unknown
	PickFiles() ([]File, error)
	PickSave(name string) (handle any, chosen string, err error)
	PickFolder() (handle any, name string, err error)
	Allowed(handle any, write, ask bool) (bool, error)
	FileOf(handle any) (File, error)
	Sample() (File, error)
	Copy(text string) error

	Recents() ([]Recent, error)
	PutRecent(r Recent) error
	DropRecent(id string) error

	Download(file any, name string) // file is the browser's File that a job left
	SaveBytes(name, mime string, data []byte)
	ObjectURL(data []byte, mime string) string
	RevokeURL(url string)
	SetHash(hash string, replace bool)
	SetTitle(title string)
	SetTheme(theme string)
	Busy(on bool) // a job is running: keep the tab alive, and ask before it is closed
	Focus(id string)
	Print()
	ScrollTo(id string, top float64)
	Stored(key string) string
	Store(key, value string)
}
