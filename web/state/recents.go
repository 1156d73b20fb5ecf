package state

// seek opens the archive that the address names, or asks the user for it.
func (o *Opener) seek(id string) {
	if id == SampleID {
		o.TrySample()
		return
	}
	rec := o.recent(id)
	switch {
	case rec == nil:
		o.Waiting = &Recent{ID: id, State: RecentMissing}
	case rec.State == RecentReady && len(rec.Handles) > 0:
		go o.openRecent(*rec, false)
	default:
		waiting := *rec
		o.Waiting = &waiting
	}
}

// recent returns the recent archive of an ID, nil if there is none.
func (o *Opener) recent(id string) *Recent {
	for i := range o.Recents {
		if o.Recents[i].ID == id {
			return &o.Recents[i]
		}
	}
	return nil
}

// OpenRecent opens a recent archive, after asking for permission if the browser requires it.
func (o *Opener) OpenRecent(id string) {
	var rec Recent
	o.host.Read(func() {
		if r := o.recent(id); r != nil {
			rec = *r
		}
	})
	if len(rec.Handles) > 0 {
		go o.openRecent(rec, true)
	}
}

func (o *Opener) openRecent(rec Recent, ask bool) {
	var files []File
	for _, handle := range rec.Handles {
		ok, err := o.host.platform.Allowed(handle, false, ask)
		if err == nil && !ok {
			o.host.update(func() {
				if ask {
					o.host.note(o.host.T("recent.refused", rec.Name), true)
				} else {
					rec.State = RecentAsks
					o.Waiting = &rec
				}
			})
			return
		}
		var f File
		if err == nil {
			f, err = o.host.platform.FileOf(handle)
		}
		if err != nil {
			o.host.update(func() {
				if r := o.recent(rec.ID); r != nil {
					r.State = RecentMissing
				}
				if ask {
					o.host.note(o.host.T("recent.gone", rec.Name), true)
				} else {
					rec.State = RecentMissing
					o.Waiting = &rec
				}
			})
			return
		}
		f.Handle = handle
		files = append(files, f)
	}
	o.openNew(files)
}

// remember adds an archive to the recent ones.
func (o *Opener) remember(ar *opened) {
	if ar.Info.Sample {
		return
	}
	r := Recent{ID: ar.ID, Name: ar.Info.Name, Size: ar.Info.Size, Images: len(ar.Info.Images), When: o.host.platform.Now()}
	// With its references: files that are opened together are sorted again.
	for _, list := range [][]File{ar.Parts, ar.Refs} {
		handles := r.Handles
		for _, f := range list {
			if f.Handle == nil {
				handles = r.Handles
				break
			}
			handles = append(handles, f.Handle)
		}
		if len(handles) == len(r.Handles) {
			break // an archive cannot be opened without all of its parts
		}
		r.Handles = handles
	}
	// Without a database, or with a full one, the archive is not remembered.
	if o.host.platform.PutRecent(r) == nil {
		o.loadRecents(func() {})
	}
}

// loadRecents reads the list of recent archives and calls then, also if that fails. Only one list is read at a time, so that
// an older one does not replace a newer one.
func (o *Opener) loadRecents(then func()) {
	o.recentsMu.Lock()
	defer o.recentsMu.Unlock()
	list, err := o.host.platform.Recents()
	o.host.update(func() {
		if err == nil {
			o.Recents = list
		}
		then()
	})
}

// ForgetRecent removes an archive from the recent ones.
func (o *Opener) ForgetRecent(id string) {
	go func() {
		o.recentsMu.Lock()
		defer o.recentsMu.Unlock()
		err := o.host.platform.DropRecent(id)
		o.host.update(func() {
			if err != nil {
				return
			}
			for i := range o.Recents {
				if o.Recents[i].ID == id {
					o.Recents = append(o.Recents[:i:i], o.Recents[i+1:]...)
					return
				}
			}
		})
	}()
}
