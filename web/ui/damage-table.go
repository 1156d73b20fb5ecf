package ui

import (
	"wimscope/web/words"
	"wimscope/worker/protocol"
)

// DamageTable lists damaged or missing blobs, with the files that use them.
type DamageTable struct {
	base
	List []protocol.Damage
}

// shown returns the first entries of the list. The saved report has all.
func (c *DamageTable) shown() []protocol.Damage { return c.List[:min(len(c.List), 100)] }

func (c *DamageTable) paths(d protocol.Damage) []protocol.Hit { return d.Paths[:min(len(d.Paths), 10)] }

func (c *DamageTable) where(d protocol.Damage) string {
	if d.Len == 0 && d.Off == 0 {
		return "–"
	}
	s := words.Hex(d.Off) + " + " + words.Number(d.Len)
	if len(c.Archive.Info.Parts) > 1 {
		s = partName(&c.base, d.Part) + " " + s
	}
	return s
}

func (c *DamageTable) what(d protocol.Damage) string {
	switch d.Kind {
	case "blob", "block", "metadata":
		s := c.T("damage." + d.Kind)
		if d.Error != "" {
			s += ": " + d.Error
		}
		return s
	}
	return d.Error
}
