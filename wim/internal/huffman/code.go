package huffman

import "errors"

// MaxLen is the longest code, in bits, that this package handles: LZX's 16.
const MaxLen = 16

// Errors of a set of code lengths, and of reading a symbol from an empty code.
var (
	ErrOverfull   = errors.New("code lengths describe more codes than there are")
	ErrIncomplete = errors.New("code lengths leave codes without a symbol")
	ErrEmpty      = errors.New("symbol read from a code that has none")
)

// Shape is the kind of code that a set of code lengths describes.
type Shape uint8

const (
	Complete   Shape = iota // every bit pattern stands for a symbol
	Empty                   // all lengths are zero
	Incomplete              // some bit patterns stand for nothing
	Overfull                // no such code exists
)

// ShapeOf returns the shape of the code with these lengths, each at most MaxLen.
func ShapeOf(lens []uint8) Shape {
	var sum uint64 // of 2^-len, in units of 2^-MaxLen
	for _, l := range lens {
		if l != 0 {
			sum += 1 << (MaxLen - l)
		}
	}
	return shapeOfSum(sum)
}

func shapeOfSum(sum uint64) Shape {
	switch {
	case sum == 1<<MaxLen:
		return Complete
	case sum == 0:
		return Empty
	case sum < 1<<MaxLen:
		return Incomplete
	default:
		return Overfull
	}
}

// Err returns nil for a complete or an empty code, and the error otherwise.
func (s Shape) Err() error {
	switch s {
	case Incomplete:
		return ErrIncomplete
	case Overfull:
		return ErrOverfull
	}
	return nil
}

// Code decodes one symbol at a time, one bit at a time.
type Code struct {
	count   [MaxLen + 1]int // codes of each length
	symbols []int           // in the order of their codes
}

// NewCode returns the code with these lengths, each at most MaxLen. It accepts an empty code, whose Symbol returns ErrEmpty.
func NewCode(lens []uint8) (*Code, error) {
	if err := ShapeOf(lens).Err(); err != nil {
		return nil, err
	}
	c := new(Code)
	for want := uint8(1); want <= MaxLen; want++ {
		for sym, l := range lens {
			if l == want {
				c.count[want]++
				c.symbols = append(c.symbols, sym)
			}
		}
	}
	return c, nil
}

// Symbol reads a symbol, each bit by a call of bit.
func (c *Code) Symbol(bit func() (uint32, error)) (int, error) {
	if len(c.symbols) == 0 {
		return 0, ErrEmpty
	}
	// The codes of one length are consecutive numbers; code is the difference between the bits read and the first of them.
	code, index := 0, 0
	for l := 1; l <= MaxLen; l++ {
		b, err := bit()
		if err != nil {
			return 0, err
		}
		code = code<<1 | int(b)
		if code < c.count[l] {
			return c.symbols[index+code], nil
		}
		code -= c.count[l]
		index += c.count[l]
	}
	return 0, ErrIncomplete // not reached: NewCode refuses such a code
}
