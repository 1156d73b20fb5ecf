package sha256

// impl is this package's own rounds.
type impl struct{ r rounds }

func (i *impl) reset()         { i.r = rounds{h: start} }
func (i *impl) write(p []byte) { i.r.write(p) }

func (i *impl) sum() [Size]byte {
	r := i.r
	return r.sum()
}
