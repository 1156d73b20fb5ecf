package pool

import (
	"context"
	"math"
	"time"
)

// meter computes a rate from byte counts. Time during which the job was paused does not count.
type meter struct {
	start  time.Time
	paused time.Duration // sum of the pauses that have ended
	since  time.Time     // start of the current pause

	at    time.Time // of the last sample
	bytes int64
	rate  float64
}

func (m *meter) elapsed(now time.Time) time.Duration {
	d := now.Sub(m.start) - m.paused
	if !m.since.IsZero() {
		d -= now.Sub(m.since)
	}
	return d
}

// sample records that bytes are done at now and returns the rate in bytes per second, weighted towards the last
// seconds.
func (m *meter) sample(now time.Time, bytes int64) float64 {
	if m.at.IsZero() {
		m.at, m.bytes = now, bytes
		return 0
	}
	dt := now.Sub(m.at).Seconds()
	if dt < 0.25 { // a shorter interval measures chunk boundaries rather than speed
		return m.rate
	}
	r := float64(bytes-m.bytes) / dt
	if m.rate == 0 {
		m.rate = r
	} else {
		m.rate += (r - m.rate) * (1 - math.Exp(-dt/rateTau))
	}
	m.at, m.bytes = now, bytes
	return m.rate
}

// restart resets the byte count; the clock goes on.
func (m *meter) restart() { m.at, m.bytes, m.rate = time.Time{}, 0, 0 }

// setPaused stops or starts the clock.
func (m *meter) setPaused(now time.Time, paused bool) {
	switch {
	case paused && m.since.IsZero():
		m.since = now
	case !paused && !m.since.IsZero():
		m.paused += now.Sub(m.since)
		m.since = time.Time{}
		m.at = time.Time{} // a pause is not a sample
	}
}

// tick reports the figures ten times a second while they change.
func (r *run) tick(stop <-chan struct{}) {
	t := time.NewTicker(figuresEvery)
	defer t.Stop()
	var last Figures
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			f := r.snapshot()
			same := f
			same.Elapsed, same.Left = last.Elapsed, last.Left
			if same == last && f.Elapsed-last.Elapsed < time.Second {
				continue
			}
			last = f
			r.reportFigures()
		}
	}
}

func (r *run) reportFigures() {
	if r.spec.OnFigures == nil {
		return
	}
	r.notify.Lock()
	defer r.notify.Unlock()
	r.spec.OnFigures(r.snapshot())
}

// snapshot updates the figures and returns them.
func (r *run) snapshot() Figures {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.fig
	switch f.Phase {
	case Done, Failed, Cancelled:
		return *f
	}
	now := time.Now()
	f.Bytes, f.Items = r.settled.Bytes, r.settled.Items
	for _, p := range r.partial {
		f.Bytes += p.Bytes
		f.Items += p.Items
	}
	f.Paused = r.pause != nil
	f.Elapsed = r.meter.elapsed(now)
	switch f.Phase {
	case Reading:
		if f.Bytes > 0 {
			f.Phase = Decoding
		}
	case Decoding:
		if r.out != nil && f.OfBytes > 0 && r.settled.Bytes >= f.OfBytes {
			f.Phase = Writing
		}
	}
	f.Left = -1
	if f.Paused {
		return *f
	}
	f.Rate = r.meter.sample(now, f.Bytes)
	if f.Elapsed >= etaAfter && f.Rate > 0 && f.OfBytes > f.Bytes {
		f.Left = time.Duration(float64(f.OfBytes-f.Bytes) / f.Rate * float64(time.Second))
	}
	return *f
}

func (r *run) phase(p Phase) {
	r.mu.Lock()
	r.fig.Phase = p
	r.mu.Unlock()
}

// progressed records how far a shard is.
func (r *run) progressed(t *task, bytes int64, items int, whole bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if whole {
		delete(r.partial, t.index)
		r.settled.Bytes += bytes
		r.settled.Items += items
		return
	}
	at := r.partial[t.index]
	at.Bytes, at.Items = bytes, items
	r.partial[t.index] = at
}

// setPaused pauses or resumes the shard workers and the fetcher.
func (r *run) setPaused(paused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if paused == (r.pause != nil) {
		return
	}
	if paused {
		r.pause = make(chan struct{})
	} else {
		close(r.pause)
		r.pause = nil
	}
	r.meter.setPaused(time.Now(), paused)
	for w := range r.workers {
		w.setPaused(paused)
	}
}

func (r *run) waitWhilePaused(ctx context.Context) error {
	for {
		r.mu.Lock()
		c := r.pause
		r.mu.Unlock()
		if c == nil {
			return ctx.Err()
		}
		select {
		case <-c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// remember and forget maintain the set of workers that a pause applies to.
func (r *run) remember(w *worker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.workers[w] = true
	w.setPaused(r.pause != nil)
}

func (r *run) forget(w *worker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.workers, w)
}
