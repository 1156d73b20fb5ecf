package write

import (
	"fmt"
	"io/fs"

	"wimscope/wim/draft"
	"wimscope/wim/format"
	"wimscope/wim/shard"
)

// FilesOf returns contents of the plan's drafts from file systems. draft.Content.Source is an index into sources.
func (p *Plan) FilesOf(sources ...fs.FS) shard.ContentFiles { return &fsContents{p, sources} }

type fsContents struct {
	p       *Plan
	sources []fs.FS
}

// OpenContent implements shard.ContentFiles.
func (s *fsContents) OpenContent(id int32) (shard.ContentFile, error) {
	_, c, ok := s.p.inv.content(id)
	if !ok || c.Source < 0 || c.Source >= len(s.sources) {
		return nil, fmt.Errorf("content %d is in no file system: %w", id, format.ErrNotFound)
	}
	f, err := draft.OpenSource(s.sources, c)
	if err != nil {
		return nil, err
	}
	return f, nil
}
