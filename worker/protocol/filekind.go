package protocol

// FileKind is what a file that is not a WIM appears to be.
type FileKind string

// The kinds that the engine recognises. The page has a text for each: guess.<kind>.
const (
	KindEmpty FileKind = "empty"
	KindZeros FileKind = "zeros"
	KindText  FileKind = "text"
	KindZIP   FileKind = "zip"
	Kind7z    FileKind = "7z"
	KindVHDX  FileKind = "vhdx"
	KindVHD   FileKind = "vhd"
	KindFFU   FileKind = "ffu"
	KindCAB   FileKind = "cab"
	KindGzip  FileKind = "gzip"
	KindXZ    FileKind = "xz"
	KindZstd  FileKind = "zstd"
	KindBzip2 FileKind = "bzip2"
	KindRAR   FileKind = "rar"
	KindPE    FileKind = "pe"
	KindPDF   FileKind = "pdf"
	KindVMDK  FileKind = "vmdk"
	KindQCOW2 FileKind = "qcow2"
	KindISO   FileKind = "iso"
	KindTAR   FileKind = "tar"
	KindNTFS  FileKind = "ntfs"
	KindDisk  FileKind = "disk"
)

// FileKinds returns all kinds.
func FileKinds() []FileKind {
	return []FileKind{
		KindEmpty, KindZeros, KindText, KindZIP, Kind7z, KindVHDX, KindVHD, KindFFU, KindCAB, KindGzip, KindXZ, KindZstd, KindBzip2,
		KindRAR, KindPE, KindPDF, KindVMDK, KindQCOW2, KindISO, KindTAR, KindNTFS, KindDisk,
	}
}
