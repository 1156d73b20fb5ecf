package write

// packing is the stage that packs contents, or copies them packed.
type packing struct {
	*placer
	moves *compaction
}

func (s *packing) key() string { return "pack" }

func (s *packing) plan() error {
	s.moves.moved()
	s.planSolidCopies()
	var copies, raw, rest []int32
	for i := range s.inv.contents {
		c := &s.inv.contents[i]
		switch {
		case c.same != written, c.solid >= 0, c.stays, c.meta:
		case s.inv.copied(c):
			copies = append(copies, int32(i))
		case c.raw:
			raw = append(raw, int32(i))
		default:
			rest = append(rest, int32(i))
		}
	}
	s.planCopies(copies)
	s.planAlone(raw, true)
	s.order(rest)
	if s.o.Solid {
		s.planSolid(rest)
	} else {
		s.planAlone(rest, false)
	}
	return nil
}

// step returns the size of the pieces in which a content is packed, 0 if it is packed whole.
func (p *request) step(c *content) int64 {
	switch {
	case c.size > largeContent:
		return max(pieceBytes, p.o.ChunkSize)
	case c.inline() != nil && c.size > 2*inlinePiece:
		return max(inlinePiece, p.o.ChunkSize)
	}
	return 0
}

// addingMetadata is the stage that packs the metadata resources.
type addingMetadata struct{ *placer }

func (s *addingMetadata) key() string { return "metadata" }

// repeating is the stage that writes contents again, uncompressed, that did not shrink. name is the key of the stage before
// it.
type repeating struct {
	*placer
	name string
}

func (s *repeating) key() string { return s.name }

func (s *repeating) plan() error {
	s.planAlone(s.redo, true)
	s.redo = nil
	return nil
}

func (s *addingMetadata) plan() error {
	if err := s.inv.makeMetadata(true); err != nil {
		return err
	}
	var ids, copies []int32
	for _, id := range s.inv.metas {
		switch c := &s.inv.contents[id]; {
		case c.stays:
		case s.inv.metaCopied(c):
			copies = append(copies, id)
		default:
			ids = append(ids, id)
		}
	}
	s.planCopies(copies)
	s.planAlone(ids, false)
	return nil
}
