package state

import (
	"time"

	"wimscope/worker/protocol"
)

// Inspector is the right pane: the selected entry, if it is only one.
type Inspector struct {
	Row     protocol.Row
	Has     bool
	Details *protocol.Details // nil until they arrive
	Problem *Problem
	Uses    *protocol.UsesReply
	Asking  bool // Uses was requested and has not arrived

	ar     *opened
	serial int
}

// usesCount is the number of uses that are listed.
const usesCount = 100

// The pauses before a request, so that a repeating key requests only the entry at which it stops.
const (
	inspectDelay = 40 * time.Millisecond
	usesDelay    = 150 * time.Millisecond
)

// show shows an entry, or nothing if ok is false.
func (in *Inspector) show(image int, row protocol.Row, ok bool) {
	if ok && in.Has && in.Row.Node == row.Node && in.Details != nil {
		return
	}
	ar, serial := in.ar, in.serial+1
	*in = Inspector{Row: row, Has: ok, ar: ar, serial: serial}
	if !ok {
		return
	}
	time.AfterFunc(inspectDelay, func() {
		still := false
		ar.Read(func() { still = !ar.left && in.serial == serial })
		if !still {
			return
		}
		d, err := ar.Session.Stat(ar.ctx, protocol.StatRequest{Image: image, Node: row.Node})
		ask := false
		ar.update(func() {
			switch {
			case in.serial != serial:
			case err != nil:
				in.Problem = ar.problem(err, row.Name)
			default:
				in.Details = &d
				ask = d.Hash != "" && !ar.UsesOnRequest()
			}
		})
		if ask {
			time.AfterFunc(usesDelay, func() { in.findUses(serial) })
		}
	})
}

// FindUses searches all images for uses of the entry's blob.
func (in *Inspector) FindUses() {
	var serial int
	in.ar.Read(func() { serial = in.serial })
	in.findUses(serial)
}

func (in *Inspector) findUses(serial int) {
	in.ar.update(func() {
		if in.serial != serial || in.Details == nil || in.Asking || in.Uses != nil {
			return
		}
		in.Asking = true
		req := protocol.UsesRequest{Hash: in.Details.Hash, Count: usesCount}
		go func() {
			rep, err := in.ar.Session.Uses(in.ar.ctx, req)
			in.ar.update(func() {
				if in.serial != serial {
					return
				}
				in.Asking = false
				if err == nil {
					in.Uses = &rep
				}
			})
		}()
	})
}

// size returns the size in bytes of the entry's content or of a named stream, 0 if unknown.
func (in *Inspector) size(stream string) int64 {
	if stream == "" {
		return in.Row.Size
	}
	if in.Details != nil {
		for _, s := range in.Details.StreamList {
			if s.Name == stream {
				return s.Size
			}
		}
	}
	return 0
}
