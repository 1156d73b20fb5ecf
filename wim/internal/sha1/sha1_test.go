package sha1

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"
)

func random(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	r.Read(b)
	return b
}

func ownSum(b []byte) [Size]byte {
	var r rounds
	r.reset()
	r.write(b)
	return r.sum()
}

// The examples of FIPS 180-2, and the empty message.
func TestKnownHashes(t *testing.T) {
	for _, c := range []struct{ name, message, want string }{
		{"empty", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"one block", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
		{"million", string(bytes.Repeat([]byte("a"), 1e6)), "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Sum([]byte(c.message)); hex.EncodeToString(got[:]) != c.want {
				t.Errorf("Sum: got %x, want %s", got, c.want)
			}
			if got := ownSum([]byte(c.message)); hex.EncodeToString(got[:]) != c.want {
				t.Errorf("own rounds: got %x, want %s", got, c.want)
			}
		})
	}
}

// Every size around block boundaries, in one write and in two, by our own rounds and by Digest.
func TestSizes(t *testing.T) {
	data := random(300)
	d := New()
	for n := range data {
		want := sha1.Sum(data[:n])
		if got := ownSum(data[:n]); got != want {
			t.Fatalf("%d bytes: got %x, want %x", n, got, want)
		}
		for cut := 0; cut <= n; cut += 1 + n/40 {
			var r rounds
			r.reset()
			r.write(data[:cut])
			r.write(data[cut:n])
			if got := r.sum(); got != want {
				t.Fatalf("%d bytes cut at %d: got %x, want %x", n, cut, got, want)
			}
			d.Reset()
			d.Write(data[:cut])
			d.Sum() // does not end it
			d.Write(data[cut:n])
			if got := d.Sum(); got != want {
				t.Fatalf("Digest: %d bytes cut at %d: got %x, want %x", n, cut, got, want)
			}
		}
	}
}

// Our own rounds continue from a state saved by Digest, and the other way round, so that workers on any platform can share it.
func TestStates(t *testing.T) {
	data := random(500)
	want := sha1.Sum(data)
	for cut := range data {
		d := New()
		d.Write(data[:cut])
		state := d.AppendState([]byte("x"))[1:]

		var r rounds
		r.reset()
		r.write(data[:cut])
		own := r.appendState(nil)
		if !bytes.Equal(state, own) {
			t.Fatalf("after %d bytes: got state %x from Digest, %x from our own rounds", cut, state, own)
		}
		if len(state) != 28+cut%64 {
			t.Fatalf("after %d bytes: state has %d bytes", cut, len(state))
		}
		var later rounds
		later.reset()
		later.loadState(state)
		later.write(data[cut:])
		if got := later.sum(); got != want {
			t.Fatalf("own rounds from %d: got %x, want %x", cut, got, want)
		}
		e := New()
		e.Write([]byte("something else"))
		if err := e.LoadState(own); err != nil {
			t.Fatal(err)
		}
		e.Write(data[cut:])
		if got := e.Sum(); got != want {
			t.Fatalf("Digest from %d: got %x, want %x", cut, got, want)
		}
	}
}

func TestLoadStateRefuses(t *testing.T) {
	d := New()
	d.Write([]byte("abc"))
	state := d.AppendState(nil)
	for _, bad := range [][]byte{nil, state[:27], state[:len(state)-1], append(state[:len(state):len(state)], 0)} {
		if err := d.LoadState(bad); !errors.Is(err, ErrState) {
			t.Errorf("LoadState of %d bytes: got %v, want ErrState", len(bad), err)
		}
	}
	if got, want := d.Sum(), sha1.Sum([]byte("abc")); got != want {
		t.Errorf("after refused states: got %x, want %x", got, want)
	}
}

// Any bytes, cut anywhere, with a saved state at the cut.
func FuzzSum(f *testing.F) {
	f.Add([]byte("abc"), uint16(1))
	f.Add(random(200), uint16(64))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		at := min(int(cut), len(data))
		want := sha1.Sum(data)
		d := New()
		d.Write(data[:at])
		e := New()
		if err := e.LoadState(d.AppendState(nil)); err != nil {
			t.Fatal(err)
		}
		e.Write(data[at:])
		if got := e.Sum(); got != want {
			t.Errorf("Digest: got %x, want %x", got, want)
		}
		var r, s rounds
		r.reset()
		r.write(data[:at])
		s.loadState(r.appendState(nil))
		s.write(data[at:])
		if got := s.sum(); got != want {
			t.Errorf("own rounds: got %x, want %x", got, want)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	data := random(1 << 20)
	for _, c := range []struct {
		name string
		sum  func([]byte) [Size]byte
	}{{"this", Sum}, {"own", ownSum}, {"std", sha1.Sum}} {
		b.Run(c.name+"/1M", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				c.sum(data)
			}
		})
	}
}
