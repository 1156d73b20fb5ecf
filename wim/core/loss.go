package core

import "fmt"

// LossKind says what an archive lost. The values are part of the report's JSON.
type LossKind string

// Of an image's tree. Off is an offset in its metadata resource, Path the folder whose list of entries it is.
const (
	LossListCut   LossKind = "list-cut"     // the rest of a list cannot be read
	LossBeyond    LossKind = "list-beyond"  // a list starts beyond the metadata resource
	LossShared    LossKind = "list-shared"  // a list, or the rest of it, is in the tree already: a cycle, as a rule
	LossEntry     LossKind = "entry"        // an entry whose names do not fit its length
	LossName      LossKind = "name"         // an entry whose name no file can have
	LossDuplicate LossKind = "duplicate"    // a second entry of a name
	LossNotFolder LossKind = "not-a-folder" // the entries of what is no folder
	LossDepth     LossKind = "depth"        // the entries of a folder that is too deep
	LossOrphans   LossKind = "orphans"      // entries that no folder's list leads to
	LossRoot      LossKind = "root"         // the root entry, though there are others
	LossStream    LossKind = "stream"       // a content that its entry cannot have
	LossSecurity  LossKind = "security"     // security descriptors
)

// Of the archive. Off is an offset in Part.
const (
	LossBlobTable LossKind = "blob-table" // there is none, and the header counts images
	LossImages    LossKind = "images"     // the header and the blob table count different numbers of images
	LossXML       LossKind = "xml"        // the XML document cannot be read, or does not tell the images apart
	LossXMLImages LossKind = "xml-images" // the XML document and the header count different numbers of images
	LossIntegrity LossKind = "integrity"  // the integrity table cannot be read
)

// LossKinds are all kinds.
func LossKinds() []LossKind {
	return []LossKind{
		LossListCut, LossBeyond, LossShared, LossEntry, LossName, LossDuplicate, LossNotFolder, LossDepth, LossOrphans, LossRoot, LossStream, LossSecurity,
		LossBlobTable, LossImages, LossXML, LossXMLImages, LossIntegrity,
	}
}

// Loss is something that an archive should hold and that cannot be reached in it, although what is there is as it was
// written.
type Loss struct {
	Kind  LossKind `json:"kind"`
	Image int      `json:"image,omitempty"` // from 1; 0: it is not of an image's tree
	Path  string   `json:"path,omitempty"`
	Part  string   `json:"part,omitempty"` // name of the file
	Off   int64    `json:"off"`
	Count int      `json:"count,omitempty"` // entries, images or contents; 0 if that is not known
	Text  string   `json:"text"`            // for people: what was lost, without the place
}

// String says where and what.
func (l *Loss) String() string {
	switch {
	case l.Image > 0 && l.Path != "":
		return fmt.Sprintf("image %d: %s: %s", l.Image, l.Path, l.Text)
	case l.Path != "":
		return l.Path + ": " + l.Text
	case l.Image > 0:
		return fmt.Sprintf("image %d: %s", l.Image, l.Text)
	case l.Part != "":
		return l.Part + ": " + l.Text
	}
	return l.Text
}

// NeedWhole returns a *RefusedError if something of the image was lost. An image made from what is left would look whole, and
// what it lacks could not be recovered any more.
func (im *Image) NeedWhole() error {
	losses, n := im.Losses()
	if n == 0 {
		return nil
	}
	return &RefusedError{Key: RefusedIncomplete, Text: losses[0].String() + "; changing the image would make the loss permanent"}
}

// NeedWhole returns a *RefusedError if images that are copied have lost something. It is for a file that takes the place of
// the archive: contents that only lost entries use are not copied, and would be gone.
func (p *WritePlan) NeedWhole() error {
	if p.lost == 0 {
		return nil
	}
	return &RefusedError{Key: RefusedIncomplete, Text: p.losses[0].String() + "; rewriting the archive would drop the contents that only lost entries use"}
}
