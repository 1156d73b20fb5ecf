package draft

import (
	"strings"

	"wimscope/wim/config"
	"wimscope/wim/format"
)

// Update executes an update command as wimlib-imagex does. added is the scan of c.Source for an add command, nil if it was excluded; it
// must not be used afterwards. replaced lists the paths of the replaced files. A rejected command changes nothing.
func (d *Draft) Update(c *config.Command, added *Draft, o *GraftOptions) (replaced []string, err error) {
	graft := GraftOptions{}
	if o != nil {
		graft = *o
	}
	switch c.Op {
	case config.UpdateAdd:
		graft.NoReplace = graft.NoReplace || c.NoReplace
		if added == nil {
			return nil, nil
		}
		return d.Graft(c.Target, added, &graft)
	case config.UpdateDelete:
		return nil, updateDelete(d, c, &graft)
	case config.UpdateRename:
		return nil, updateRename(d, c, graft.Fold)
	}
	return nil, &Error{c.Op.String(), c.Target, format.Describe("unknown command", ErrTree)}
}

// updateDelete removes an entry, or everything in the root.
func updateDelete(d *Draft, c *config.Command, o *GraftOptions) error {
	n, ok := d.Lookup(c.Target, o.Fold)
	switch {
	case !ok && c.Force:
		return nil
	case !ok:
		return &Error{"remove", c.Target, errNotInImage}
	case d.IsDir(n) && !c.Recursive:
		return &Error{"remove", c.Target, ErrIsDir}
	case n != 0:
		return d.Remove(n)
	}
	for kids := d.Children(0); len(kids) > 0; kids = d.Children(0) {
		if err := d.Remove(kids[len(kids)-1]); err != nil {
			return err
		}
	}
	return d.Set(0, Entry{Attributes: format.AttrDirectory, Created: o.When, Accessed: o.When, Modified: o.When})
}

func updateRename(d *Draft, c *config.Command, fold bool) error {
	n, ok := d.Lookup(c.Source, fold)
	if !ok {
		return &Error{"rename", c.Source, errNotInImage}
	}
	if at, ok := d.Lookup(c.Target, fold); ok && at == 0 {
		return &Error{"rename", c.Source, newPathError{c.Target, ErrExists}}
	}
	slash := strings.LastIndexByte(c.Target, '/')
	parent, ok := d.Lookup(c.Target[:slash+1], fold)
	if !ok {
		return &Error{"rename", c.Source, newPathError{c.Target, format.Describe("its folder does not exist", format.ErrNotFound)}}
	}
	return d.rename(n, parent, c.Target[slash+1:], fold)
}
