package platform

import (
	"context"
	"errors"
	"sync"
	"syscall/js"
	"time"

	"wimscope/web/state"
	"wimscope/worker/jsx"
)

// tryLimit is the time limit for one trial.
const tryLimit = 5 * time.Second

// Try implements state.Platform. That an API exists means little: with site data blocked, and in Firefox's private
// windows, storage exists but throws or rejects.
func (b *Browser) Try() state.Caps {
	c := b.Caps()
	var wg sync.WaitGroup
	try := func(ok *bool, f func() error) { wg.Go(func() { *ok = within(tryLimit, f) == nil }) }
	try(&c.Settings, trySettings)
	try(&c.Database, tryDatabase)
	try(&c.Locks, tryLocks)
	try(&c.OPFS, func() error {
		_, err := jsx.OutputFolder()
		return err
	})
	wg.Wait()
	if c.OPFS {
		c.Room = b.Room(0)
	}
	return c
}

func within(d time.Duration, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(d):
		return errors.New("platform: the browser did not respond")
	}
}

func trySettings() error {
	s, err := storage()
	if err == nil {
		_, err = jsx.CallNow(s, "setItem", "wimscope.try", "1")
	}
	if err == nil {
		_, err = jsx.CallNow(s, "removeItem", "wimscope.try")
	}
	return err
}

func tryDatabase() error {
	ctx, cancel := context.WithTimeout(context.Background(), tryLimit)
	defer cancel()
	db, err := openDatabase(ctx)
	if err == nil {
		err = db.Close()
	}
	return err
}

func tryLocks() error {
	locks, err := jsx.Path("navigator", "locks")
	if err != nil {
		return err
	}
	if locks.Type() != js.TypeObject {
		return errors.New("platform: no locks")
	}
	f := js.FuncOf(func(js.Value, []js.Value) any { return nil })
	defer f.Release()
	_, err = jsx.Call(locks, "request", "wimscope-try", map[string]any{"mode": "shared"}, f)
	return err
}

// Room implements state.Platform.
func (b *Browser) Room(need int64) int64 {
	room := int64(-1)
	_ = within(tryLimit, func() error { // after that the size is unknown
		if room = jsx.Room(); room >= 0 && room < need {
			// By now old outputs have been read, or their downloads continue even without the file.
			const soon = 10 * time.Second
			_ = jsx.RemoveOutputs(func(_ int64, age time.Duration) bool { return age > soon })
			room = jsx.Room()
		}
		return nil
	})
	return room
}
