package wim

import "fmt"

// LossKind is the kind of a loss. The values are part of the report's JSON.
type LossKind string

// Losses of an image's tree. Off is an offset in its metadata resource, Path the folder whose list of entries is affected.
const (
	LossListCut   LossKind = "list-cut"     // the rest of a list cannot be read
	LossBeyond    LossKind = "list-beyond"  // a list starts beyond the metadata resource
	LossShared    LossKind = "list-shared"  // a list, or its rest, is in the tree already: usually a cycle
	LossEntry     LossKind = "entry"        // an entry whose names do not fit its length
	LossName      LossKind = "name"         // an entry whose name no file can have
	LossDuplicate LossKind = "duplicate"    // a second entry with the same name
	LossNotFolder LossKind = "not-a-folder" // entries below something that is not a folder
	LossDepth     LossKind = "depth"        // entries of a folder that is nested too deeply
	LossOrphans   LossKind = "orphans"      // entries that are in no folder's list
	LossRoot      LossKind = "root"         // the root entry, though other entries exist
	LossStream    LossKind = "stream"       // a stream that its entry cannot have
	LossSecurity  LossKind = "security"     // security descriptors
)

// Losses of the archive. Off is an offset in Part.
const (
	LossBlobTable LossKind = "blob-table" // it is missing, but the header counts images
	LossImages    LossKind = "images"     // the image counts of header and blob table differ
	LossXML       LossKind = "xml"        // the XML document cannot be read, or does not identify the images
	LossXMLImages LossKind = "xml-images" // the image counts of XML document and header differ
	LossIntegrity LossKind = "integrity"  // the integrity table cannot be read
)

// LossKinds returns all kinds.
func LossKinds() []LossKind {
	return []LossKind{
		LossListCut, LossBeyond, LossShared, LossEntry, LossName, LossDuplicate, LossNotFolder, LossDepth, LossOrphans, LossRoot, LossStream, LossSecurity,
		LossBlobTable, LossImages, LossXML, LossXMLImages, LossIntegrity,
	}
}

// Loss is something that an archive should hold but that is missing or unreachable, although the rest is sound.
type Loss struct {
	Kind  LossKind `json:"kind"`
	Image int      `json:"image,omitempty"` // from 1; 0 if it is not a loss of an image's tree
	Path  string   `json:"path,omitempty"`
	Part  string   `json:"part,omitempty"` // name of the file
	Off   int64    `json:"off"`
	Count int      `json:"count,omitempty"` // number of entries, images or streams; 0 if unknown
	Text  string   `json:"text"`            // what was lost, without the place
}

// String returns the place and what was lost there.
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

// MaxLosses is the largest number of losses that a report lists.
const MaxLosses = 1000
