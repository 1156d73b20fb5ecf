package platform

import (
	"context"
	"sort"
	"syscall/js"
	"time"

	"github.com/hack-pad/go-indexeddb/idb"

	"wimscope/web/state"
	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// maxRecents is the number of archives that are remembered.
const maxRecents = 12

const (
	database     = "wimscope"
	recentsStore = "recents"
)

// The database holds one object per archive: {id, name, size, images, when, handles}. Handles cannot be encoded as
// JSON, so they are stored as objects.

func openDatabase(ctx context.Context) (db *idb.Database, err error) {
	defer jsx.Catch(&err)
	if v, err := jsx.Path("indexedDB"); err != nil || !v.Truthy() {
		return nil, &protocol.Error{Code: protocol.CodeBrowser, Message: "this browser has no database for pages"}
	}
	req, err := idb.Global().Open(ctx, database, 1, func(db *idb.Database, _, _ uint) error {
		_, err := db.CreateObjectStore(recentsStore, idb.ObjectStoreOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	return req.Await(ctx)
}

// inStore runs f on the store of recent archives.
func inStore(mode idb.TransactionMode, f func(ctx context.Context, s *idb.ObjectStore) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	db, err := openDatabase(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	txn, err := db.Transaction(mode, recentsStore)
	if err != nil {
		return err
	}
	s, err := txn.ObjectStore(recentsStore)
	if err != nil {
		return err
	}
	return f(ctx, s)
}

// Recents implements state.Platform.
func (b *Browser) Recents() ([]state.Recent, error) {
	var list []state.Recent
	err := inStore(idb.TransactionReadOnly, func(ctx context.Context, s *idb.ObjectStore) error {
		req, err := s.OpenCursor(idb.CursorNext)
		if err != nil {
			return err
		}
		return req.Iter(ctx, func(c *idb.CursorWithValue) error {
			v, err := c.Value()
			if err == nil {
				list = append(list, recentOf(v))
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	sort.Slice(list, func(i, j int) bool { return list[i].When.After(list[j].When) })
	for i := range list {
		for _, h := range list[i].Handles {
			ok, err := b.Allowed(h, false, false)
			switch {
			case err != nil:
				list[i].State = state.RecentMissing
			case !ok && list[i].State == state.RecentReady:
				list[i].State = state.RecentAsks
			}
		}
	}
	return list, nil
}

func recentOf(v js.Value) state.Recent {
	r := state.Recent{
		ID:     v.Get("id").String(),
		Name:   v.Get("name").String(),
		Size:   int64(v.Get("size").Float()),
		Images: v.Get("images").Int(),
		When:   time.UnixMilli(int64(v.Get("when").Float())),
	}
	for i := range v.Get("handles").Length() {
		r.Handles = append(r.Handles, v.Get("handles").Index(i))
	}
	if len(r.Handles) == 0 {
		r.State = state.RecentMissing
	}
	return r
}

// PutRecent implements state.Platform. It removes the oldest entries beyond maxRecents.
func (b *Browser) PutRecent(r state.Recent) error {
	o := js.Global().Get("Object").New()
	o.Set("id", r.ID)
	o.Set("name", r.Name)
	o.Set("size", float64(r.Size))
	o.Set("images", r.Images)
	o.Set("when", float64(r.When.UnixMilli()))
	o.Set("handles", js.ValueOf(r.Handles))
	err := inStore(idb.TransactionReadWrite, func(ctx context.Context, s *idb.ObjectStore) error {
		req, err := s.PutKey(js.ValueOf(r.ID), o)
		if err != nil {
			return err
		}
		_, err = req.Await(ctx)
		return err
	})
	if err != nil {
		return err
	}
	list, err := b.Recents()
	if err != nil {
		return err
	}
	for i := maxRecents; i < len(list); i++ {
		if err := b.DropRecent(list[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// DropRecent implements state.Platform.
func (b *Browser) DropRecent(id string) error {
	return inStore(idb.TransactionReadWrite, func(ctx context.Context, s *idb.ObjectStore) error {
		req, err := s.Delete(js.ValueOf(id))
		if err != nil {
			return err
		}
		return req.Await(ctx)
	})
}
