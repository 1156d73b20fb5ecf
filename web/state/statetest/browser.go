package statetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"wimscope/web/state"
)

// Browser is a fake browser that logs what is requested of it.
type Browser struct {
	mu        sync.Mutex
	Can       state.Caps
	Values    map[string]string
	List      []state.Recent
	Files     []state.File // result of PickFiles; if empty, the picker is dismissed
	Save      any          // result of PickSave and PickFolder; if nil, the picker is dismissed
	Denied    bool         // Allowed returns false
	SaveFails error        // error of PickSave
	Log       []string     // "hash #/…", "replace #/…", "focus list", "download x", …
	Clip      string
	Title     string
	IsBusy    bool
	SampleF   state.File
	Found     func(handle any) (state.File, error) // replaces FileOf, if not nil

	asked atomic.Int64 // number of calls of Now
}

var _ state.Platform = (*Browser)(nil)

func (b *Browser) log(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Log = append(b.Log, fmt.Sprintf(format, args...))
}

// Logged returns a copy of the log.
func (b *Browser) Logged() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.Log...)
}

// Now implements state.Platform. Each call returns a second more.
func (b *Browser) Now() time.Time {
	return time.Date(2025, 9, 5, 12, 0, int(b.asked.Add(1)), 0, time.UTC)
}

// Caps implements state.Platform.
func (b *Browser) Caps() state.Caps { return b.Can }

// Try implements state.Platform.
func (b *Browser) Try() state.Caps { return b.Can }

// Room implements state.Platform.
func (b *Browser) Room(need int64) int64 {
	b.log("room for %d", need)
	return b.Can.Room
}

// PickFiles implements state.Platform.
func (b *Browser) PickFiles() ([]state.File, error) {
	if len(b.Files) == 0 {
		return nil, state.ErrDismissed
	}
	return b.Files, nil
}

// PickSave implements state.Platform.
func (b *Browser) PickSave(name string) (any, string, error) {
	b.log("pick save %s", name)
	if b.SaveFails != nil {
		return nil, "", b.SaveFails
	}
	if b.Save == nil {
		return nil, "", state.ErrDismissed
	}
	return b.Save, name, nil
}

// PickFolder implements state.Platform.
func (b *Browser) PickFolder() (any, string, error) {
	b.log("pick folder")
	if b.Save == nil {
		return nil, "", state.ErrDismissed
	}
	return b.Save, "folder", nil
}

// Allowed implements state.Platform.
func (b *Browser) Allowed(_ any, write, ask bool) (bool, error) {
	b.log("allowed write=%v ask=%v", write, ask)
	return !b.Denied, nil
}

// FileOf implements state.Platform.
func (b *Browser) FileOf(h any) (state.File, error) {
	if b.Found != nil {
		return b.Found(h)
	}
	return state.File{Name: fmt.Sprint(h), Size: 1, Value: h, Handle: h}, nil
}

// Sample implements state.Platform.
func (b *Browser) Sample() (state.File, error) {
	return state.File{Name: "sample.wim", Size: 52_000, Value: "sample"}, nil
}

// Copy implements state.Platform.
func (b *Browser) Copy(text string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Clip = text
	return nil
}

// Recents implements state.Platform.
func (b *Browser) Recents() ([]state.Recent, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]state.Recent(nil), b.List...), nil
}

// PutRecent implements state.Platform.
func (b *Browser) PutRecent(r state.Recent) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.List = append([]state.Recent{r}, b.List...)
	return nil
}

// DropRecent implements state.Platform.
func (b *Browser) DropRecent(id string) error {
	b.log("forget %s", id)
	return nil
}

// Download implements state.Platform.
func (b *Browser) Download(_ any, name string) { b.log("download %s", name) }

// SaveBytes implements state.Platform.
func (b *Browser) SaveBytes(name, mime string, data []byte) {
	b.log("save %s %s %d", name, mime, len(data))
}

// ObjectURL implements state.Platform.
func (b *Browser) ObjectURL(data []byte, mime string) string {
	b.log("url %s %d", mime, len(data))
	return "blob:1"
}

// RevokeURL implements state.Platform.
func (b *Browser) RevokeURL(url string) { b.log("revoke %s", url) }

// SetHash implements state.Platform.
func (b *Browser) SetHash(hash string, replace bool) {
	if replace {
		b.log("replace %s", hash)
	} else {
		b.log("hash %s", hash)
	}
}

// SetTitle implements state.Platform.
func (b *Browser) SetTitle(t string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Title = t
}

// SetTheme implements state.Platform.
func (b *Browser) SetTheme(t string) { b.log("theme %s", t) }

// Busy implements state.Platform.
func (b *Browser) Busy(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.IsBusy = on
}

// Focus implements state.Platform.
func (b *Browser) Focus(id string) { b.log("focus %s", id) }

// ScrollTo implements state.Platform.
func (b *Browser) ScrollTo(id string, top float64) { b.log("scroll %s %.0f", id, top) }

// Print implements state.Platform.
func (b *Browser) Print() { b.log("print") }

// Stored implements state.Platform.
func (b *Browser) Stored(key string) string { return b.Values[key] }

// Store implements state.Platform.
func (b *Browser) Store(key, value string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Values == nil {
		b.Values = map[string]string{}
	}
	b.Values[key] = value
}
