package core

import (
	"fmt"
	"io/fs"

	"wimscope/wim/format"
)

// FilesOf opens contents of a plan's drafts from file systems: Content.Source is an index into them.
func (p *WritePlan) FilesOf(sources ...fs.FS) ContentFiles { return &fsContents{p, sources} }

type fsContents struct {
	p       *WritePlan
	sources []fs.FS
}

// OpenContent implements ContentFiles.
func (s *fsContents) OpenContent(id int32) (ContentFile, error) {
	_, c, ok := s.p.Content(id)
	if !ok || c.Source < 0 || c.Source >= len(s.sources) {
		return nil, fmt.Errorf("content %d is in no file system: %w", id, format.ErrNotFound)
	}
	f, err := openSource(s.sources, c)
	if err != nil {
		return nil, err
	}
	return f, nil
}
