package sha1

// impl is this package's own rounds.
type impl struct{ r rounds }

func (i *impl) reset()                      { i.r.reset() }
func (i *impl) write(p []byte)              { i.r.write(p) }
func (i *impl) appendState(b []byte) []byte { return i.r.appendState(b) }

func (i *impl) sum() [Size]byte {
	r := i.r
	return r.sum()
}

func (i *impl) loadState(state []byte) error {
	i.r.loadState(state)
	return nil
}

func sum(b []byte) [Size]byte {
	var r rounds
	r.reset()
	r.write(b)
	return r.sum()
}
