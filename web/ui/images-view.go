package ui

import (
	"strings"

	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// ImagesView is the Images tab.
type ImagesView struct{ base }

func (c *ImagesView) title(im protocol.Image) string { return imageLabel(&c.base, im) }

func (c *ImagesView) about(im protocol.Image) string {
	var parts []string
	for _, s := range []string{im.Edition, im.Arch, strings.Join(im.Languages, ", ")} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	parts = append(parts, c.T("images.counts", im.Files, im.Dirs))
	return strings.Join(parts, " · ")
}

func (c *ImagesView) description(im protocol.Image) string {
	for _, s := range []string{im.DisplayDescription, im.Description} {
		if s != "" && s != im.Name && s != im.DisplayName {
			return s
		}
	}
	return ""
}

func (c *ImagesView) facts(im protocol.Image) []fact {
	var f []fact
	add := func(key, value string) {
		if value != "" {
			f = append(f, fact{name: c.T(key), value: value})
		}
	}
	add("images.build", c.build(im.Index))
	add("images.version", im.Version)
	f = append(f, c.registry(im.Index)...)
	if im.Bytes > 0 {
		size := words.Size(im.Bytes)
		if im.HardLinkBytes > 0 {
			size += ", " + c.T("images.hard-links", words.Size(im.HardLinkBytes))
		}
		add("images.size", size)
	}
	add("images.created", day(im.Created))
	add("images.modified", day(im.Modified))
	if im.Name != "" && im.Name != im.DisplayName && im.DisplayName != "" {
		add("images.name", im.Name)
	}
	add("images.flags", im.Flags)
	add("images.install-type", im.InstallationType)
	add("images.product-type", im.ProductType)
	add("images.default-language", im.DefaultLanguage)
	add("images.system-root", im.SystemRoot)
	if im.WIMBoot {
		add("images.wimboot", c.T("yes"))
	}
	return f
}

// asked reports whether the registry of an image was requested.
func (c *ImagesView) asked(index int) bool { return c.Archive.Images.Windows[index] != nil }

// registry returns the facts from the image's registry, once read.
func (c *ImagesView) registry(index int) (f []fact) {
	add := func(key, value string) {
		if value != "" {
			f = append(f, fact{name: c.T(key), value: value})
		}
	}
	w := c.Archive.Images.Windows[index]
	switch {
	case w == nil:
		return nil
	case w.Loading:
		add("images.registry", c.T("images.build-reading"))
	case w.None:
		add("images.registry", c.T("images.registry-none"))
	case w.Problem != nil:
		add("images.registry", c.T(w.Problem.TitleKey(), w.Problem.Args()...))
	default:
		build := w.Build
		if build == "" {
			build = c.T("images.registry-none")
		} else {
			build += ", " + c.T("preview.unchecked") // only parts of a hive are read
		}
		add("images.registry", build)
		add("images.branch", w.Branch)
		add("images.lab", w.Lab)
		for _, d := range w.Differences {
			if d.XML == "" {
				add("images.differs", c.T("images.lacks-value", d.Property, d.Image))
			} else {
				add("images.differs", c.T("images.differs-value", d.Property, d.XML, d.Image))
			}
		}
		for _, p := range w.Problems {
			add("images.unread", p)
		}
	}
	return f
}

// build returns the version of the kernel in an image.
func (c *ImagesView) build(index int) string {
	v := c.Archive.Images.Versions[index]
	switch {
	case v == nil:
		return ""
	case v.Loading:
		return c.T("images.build-reading")
	case v.None:
		return c.T("images.build-none")
	}
	return v.Version
}

// day returns the date and the minute of an RFC 3339 time.
func day(s string) string {
	if len(s) < 16 {
		return s
	}
	return s[:10] + " " + s[11:16]
}
