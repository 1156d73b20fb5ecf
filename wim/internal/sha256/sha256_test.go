package sha256

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{2}).Read(b)
	return b
}

func ownSum(b []byte) [Size]byte {
	r := rounds{h: start}
	r.write(b)
	return r.sum()
}

func digestSum(b []byte) [Size]byte {
	d := New()
	d.Write(b)
	return d.Sum()
}

// The examples of FIPS 180-2, and the empty message.
func TestKnownHashes(t *testing.T) {
	for _, c := range []struct{ name, message, want string }{
		{"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"one block", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"million", string(bytes.Repeat([]byte("a"), 1e6)), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := digestSum([]byte(c.message)); hex.EncodeToString(got[:]) != c.want {
				t.Errorf("Digest: got %x, want %s", got, c.want)
			}
			if got := ownSum([]byte(c.message)); hex.EncodeToString(got[:]) != c.want {
				t.Errorf("own rounds: got %x, want %s", got, c.want)
			}
		})
	}
}

// Every size around block boundaries, in two writes, by our own rounds and by Digest.
func TestSizes(t *testing.T) {
	data := random(300)
	for n := range data {
		want := sha256.Sum256(data[:n])
		for cut := 0; cut <= n; cut += 1 + n/40 {
			r := rounds{h: start}
			r.write(data[:cut])
			r.write(data[cut:n])
			if got := r.sum(); got != want {
				t.Fatalf("%d bytes cut at %d: got %x, want %x", n, cut, got, want)
			}
			d := New()
			d.Write(data[:cut])
			d.Sum() // does not end it
			d.Write(data[cut:n])
			if got := d.Sum(); got != want {
				t.Fatalf("Digest: %d bytes cut at %d: got %x, want %x", n, cut, got, want)
			}
		}
	}
}

func FuzzSum(f *testing.F) {
	f.Add([]byte("abc"), uint16(1))
	f.Add(random(200), uint16(64))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		at := min(int(cut), len(data))
		want := sha256.Sum256(data)
		r := rounds{h: start}
		r.write(data[:at])
		r.write(data[at:])
		if got := r.sum(); got != want {
			t.Errorf("own rounds: got %x, want %x", got, want)
		}
		if got := digestSum(data); got != want {
			t.Errorf("Digest: got %x, want %x", got, want)
		}
	})
}

func BenchmarkSum(b *testing.B) {
	data := random(1 << 20)
	for _, c := range []struct {
		name string
		sum  func([]byte) [Size]byte
	}{{"this", digestSum}, {"own", ownSum}, {"std", sha256.Sum256}} {
		b.Run(c.name+"/1M", func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				c.sum(data)
			}
		})
	}
}
