package engine

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"wimscope/wim"
	"wimscope/wim/find"
	"wimscope/wim/format"
	"wimscope/worker/protocol"
)

const (
	maxHits       = 100_000  // of one search
	maxGroupHits  = 200      // of one group that are listed with their paths
	maxPathBytes  = 32 << 20 // of all paths in a result: a hostile tree may have long ones
	maxGroups     = 1000     // in one reply
	newsEvery     = 250 * time.Millisecond
	newsGroups    = 2000 // with more, progress reports contain only numbers: sorting them each time would take longer than the search
	searchStride  = 2048 // entries between checks of the clock
	maxSearchText = 1000 // bytes in a query
)

// groupKey is what the hits of a group share: a content, or a path if they have no content.
type groupKey struct {
	hash format.Hash
	path string
}

// searchResult holds what a search found. A session keeps the last one, to answer requests for its other windows.
type searchResult struct {
	query  string
	images []int
	groups []*foundGroup
	hits   int
	paths  int // bytes
	done   int
	more   bool
	whole  bool // the search is complete
}

type foundGroup struct {
	protocol.Group
	folded string
	rank   uint8 // 0: the name equals the query; 1: it begins with the query; 2: anything else
}

// search answers protocol.Search.
func (s *session) search(w *Work, req protocol.SearchRequest) (protocol.SearchReply, error) {
	query := strings.ReplaceAll(strings.TrimSpace(req.Query), `\`, "/")
	if query == "" || len(query) > maxSearchText {
		return protocol.SearchReply{}, badRequest("the query is empty or too long")
	}
	images := req.Images
	if len(images) == 0 {
		for _, im := range s.a.Images() {
			images = append(images, im.Index)
		}
	}
	if r := s.found; r != nil && r.whole && r.query == query && slices.Equal(r.images, images) {
		return r.reply(req), nil
	}
	r := &searchResult{query: query, images: images}
	s.found = nil // free its memory
	if err := s.searchImages(w, r, req); err != nil {
		return protocol.SearchReply{}, err
	}
	r.sort()
	r.whole = true
	s.found = r
	return r.reply(req), nil
}

// searchImages searches the images and adds the hits to r. Other requests have their turns meanwhile.
func (s *session) searchImages(w *Work, r *searchResult, req protocol.SearchRequest) error {
	query := find.NewQuery(r.query)
	index := make(map[groupKey]*foundGroup)
	news := time.Now()
	for _, i := range r.images {
		im, err := s.image(i)
		if err != nil {
			if code := protocolCode(err); code == protocol.CodeNotFound || code == protocol.CodeChanged || code == protocol.CodePermission {
				return err
			}
			r.done++ // an unreadable tree has no names to find; listing it reports the error
			continue
		}
		for search, more := find.In(im, query), true; more; {
			var err error
			more = search.Step(searchStride, func(n wim.Node) bool {
				if r.hits == maxHits || r.paths > maxPathBytes {
					r.more = true
					return false
				}
				r.add(index, im, i, n)
				err = w.rest()
				return err == nil
			})
			if err == nil && !r.more {
				err = w.rest()
			}
			if err != nil {
				return err
			}
			if r.more {
				return nil
			}
			if now := time.Now(); now.Sub(news) >= newsEvery {
				news = now
				w.call.Progress(r.news(req))
			}
		}
		r.done++
	}
	return nil
}

func protocolCode(err error) protocol.Code { return protocol.AsError(Error(err)).Code }

func (r *searchResult) add(index map[groupKey]*foundGroup, im *wim.Image, image int, n wim.Node) {
	r.hits++
	key := groupKey{hash: im.Hash(n)}
	path := ""
	if key.hash.IsZero() {
		path = im.Path(n)
		key.path = path
	}
	g := index[key]
	if g == nil {
		name := im.Name(n)
		g = &foundGroup{folded: fold(name), rank: 2}
		g.Name, g.Dir = name, im.IsDir(n)
		if !key.hash.IsZero() {
			g.Hash, g.Size = key.hash.String(), im.Size(n)
		}
		last := fold(r.query[strings.LastIndexByte(r.query, '/')+1:])
		switch {
		case g.folded == last:
			g.rank = 0
		case strings.HasPrefix(g.folded, last):
			g.rank = 1
		}
		index[key] = g
		r.groups = append(r.groups, g)
	}
	g.Count++
	if len(g.Hits) < maxGroupHits {
		if path == "" {
			path = im.Path(n)
		}
		g.Hits = append(g.Hits, protocol.Hit{Image: image, Node: int32(n), Path: path})
		r.paths += len(path)
	}
}

// sort sorts the groups: names that equal the query first, then names that begin with it, then the rest; each by name.
func (r *searchResult) sort() {
	slices.SortStableFunc(r.groups, func(a, b *foundGroup) int {
		if c := cmp.Compare(a.rank, b.rank); c != 0 {
			return c
		}
		return cmp.Compare(a.folded, b.folded)
	})
}

// news returns a progress report: with the requested groups while there are few, otherwise only with numbers.
func (r *searchResult) news(req protocol.SearchRequest) protocol.SearchReply {
	if len(r.groups) > newsGroups {
		req.Count = 0
	} else {
		r.sort()
	}
	return r.reply(req)
}

func (r *searchResult) reply(req protocol.SearchRequest) protocol.SearchReply {
	groups, start := window(r.groups, req.Start, req.Count, maxGroups)
	rep := protocol.SearchReply{
		Groups: make([]protocol.Group, len(groups)), Start: start, Total: len(r.groups),
		Hits: r.hits, Done: r.done, Of: len(r.images), More: r.more,
	}
	for i, g := range groups {
		rep.Groups[i] = g.Group
	}
	return rep
}

// usesResult holds the entries that use a content. A session keeps the last one.
type usesResult struct {
	hash     format.Hash
	hits     []protocol.Hit
	total    int
	perImage []int
}

// uses answers protocol.Uses.
func (s *session) uses(w *Work, req protocol.UsesRequest) (protocol.UsesReply, error) {
	h, err := format.ParseHash(req.Hash)
	if err != nil {
		return protocol.UsesReply{}, badRequest("not a SHA-1: " + req.Hash)
	}
	r := s.used
	if r == nil || r.hash != h {
		r = &usesResult{hash: h}
		paths := 0
		for _, info := range s.a.Images() {
			count := 0
			im, err := s.image(info.Index)
			if err == nil {
				count, err = eachUse(w, im, h, func(n wim.Node) {
					if len(r.hits) < maxHits && paths <= maxPathBytes {
						hit := protocol.Hit{Image: info.Index, Node: int32(n), Path: im.Path(n)}
						paths += len(hit.Path)
						r.hits = append(r.hits, hit)
					}
				})
				if err != nil {
					return protocol.UsesReply{}, err
				}
			}
			r.total += count
			r.perImage = append(r.perImage, count)
			if err := w.rest(); err != nil {
				return protocol.UsesReply{}, err
			}
		}
		s.used = r
	}
	hits, start := window(r.hits, req.Start, req.Count, maxRows)
	return protocol.UsesReply{Hits: hits, Start: start, Total: r.total, PerImage: r.perImage}, nil
}

// lacks answers protocol.Lacks.
func (s *session) lacks(w *Work) (protocol.Elsewhere, error) {
	missing, err := lacking(w, s.a, s.image, func(n int) { w.call.Progress(protocol.Elsewhere{Blobs: n}) })
	return protocol.Elsewhere{Blobs: len(missing), Known: err == nil}, err
}

// lacking returns the contents that images refer to and that are in no part or reference. load returns an image's tree;
// soFar is called with the number of missing contents after each tree. Trees that cannot be read are skipped.
func lacking(w *Work, a *wim.Archive, load func(index int) (*wim.Image, error), soFar func(n int)) (map[format.Hash]bool, error) {
	missing := make(map[format.Hash]bool)
	for _, info := range a.Images() {
		im, err := load(info.Index)
		if err != nil {
			if protocolCode(err) == protocol.CodeChanged {
				return nil, err
			}
			continue
		}
		steps := 0
		im.EachStream(0, wim.Node(im.Len()), func(_ wim.Node, h format.Hash, _ format.StreamKind, _ []byte) bool {
			if steps++; steps%4096 == 0 {
				if err = w.rest(); err != nil {
					return false
				}
			}
			if _, ok := a.Store().Blob(h); !ok {
				missing[h] = true
			}
			return true
		})
		if err != nil {
			return nil, err
		}
		soFar(len(missing))
	}
	return missing, nil
}
