package draft

import (
	"io/fs"
	"sync"
	"sync/atomic"
	"time"
)

// listing holds the entries of a folder, and perhaps the FileInfo of each.
type listing struct {
	entries []fs.DirEntry
	err     error
	infos   []fileInfo // nil if they were not read ahead
}

type fileInfo struct {
	fs.FileInfo
	err error
}

// info returns the FileInfo of an entry.
func (l *listing) info(i int) (fs.FileInfo, error) {
	if l.infos == nil {
		return l.entries[i].Info()
	}
	return l.infos[i].FileInfo, l.infos[i].err
}

// lookahead lists folders and reads the FileInfo of their entries while the scan is busy with other folders. A nil lookahead does
// nothing.
type lookahead struct {
	fsys  fs.FS
	slots chan struct{} // limits concurrent calls
	dirs  int           // folders that were started, but not used yet
	count atomic.Int64
	stop  atomic.Bool
	wg    sync.WaitGroup
}

// looked returns the number of entries whose FileInfo was read.
func (a *lookahead) looked() int {
	if a == nil {
		return 0
	}
	return int(a.count.Load())
}

// end stops looking ahead and waits for calls in progress.
func (a *lookahead) end() {
	a.stop.Store(true)
	a.wg.Wait()
}

// start starts to read the folders at the end of stack, at most as many as there are slots: more would only need memory.
func (a *lookahead) start(stack []*scanDir) {
	if a == nil {
		return
	}
	if last := stack[len(stack)-1]; last.ahead == nil {
		a.look(last)
	}
	for i := len(stack) - 2; i >= max(0, len(stack)-cap(a.slots)) && a.dirs < cap(a.slots); i-- {
		if stack[i].ahead == nil {
			a.look(stack[i])
		}
	}
}

func (a *lookahead) look(dir *scanDir) {
	a.dirs++
	dir.ahead = make(chan listing, 1)
	a.wg.Go(func() {
		a.slots <- struct{}{}
		var l listing
		if !a.stop.Load() {
			l.entries, l.err = fs.ReadDir(a.fsys, dir.path)
		}
		<-a.slots
		l.infos = make([]fileInfo, len(l.entries))
		var wg sync.WaitGroup
		for i, e := range l.entries {
			a.slots <- struct{}{}
			if a.stop.Load() {
				<-a.slots
				break
			}
			wg.Go(func() {
				l.infos[i].FileInfo, l.infos[i].err = e.Info()
				a.count.Add(1)
				<-a.slots
			})
		}
		wg.Wait()
		dir.ahead <- l
	})
}

// list returns the entries of a folder.
func (s *scanner) list(dir *scanDir) (l listing, err error) {
	if dir.ahead == nil {
		l.entries, l.err = fs.ReadDir(s.fsys, dir.path)
		return l, nil
	}
	s.ahead.dirs--
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case l := <-dir.ahead:
			return l, nil
		case <-tick.C:
			if err := s.progress(); err != nil {
				return l, err
			}
		}
	}
}
