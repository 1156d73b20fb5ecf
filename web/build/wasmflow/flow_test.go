package wasmflow

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestShapes shows the result for common shapes.
func TestShapes(t *testing.T) {
	for _, test := range []struct {
		name  string
		codes []string
		want  string
	}{
		{"two ways", []string{"if@2", "e1 to@3", "e2", "ret", ""}, `
block
  block
    ask
    br_if 0
    const 1
    effect
    br 1
  end
  const 2
  effect
end
const 0
return
trap
`},
		{"a loop with its condition at its end", []string{"to@2", "e1", "if@1", "ret", ""}, `
block
  loop
    ask
    eqz
    br_if 1
    const 1
    effect
    br 0
  end
end
const 0
return
trap
`},
		{"a negated condition is not negated twice", []string{"to@2", "e1", "ifnot@1", "ret", ""}, `
block
  loop
    ask
    br_if 1
    const 1
    effect
    br 0
  end
end
const 0
return
trap
`},
		{"a loop in a loop", []string{"e0", "e1", "e2 if@2", "if@1", "ret", ""}, `
const 0
effect
loop
  const 1
  effect
  loop
    const 2
    effect
    ask
    br_if 0
  end
  ask
  br_if 0
end
const 0
return
trap
`},
		{"a call in a loop keeps the dispatcher", []string{"e0", "e1 call", "if@1", "ret", ""}, `
block
  loop
    block
      block
        block
          block
            get pc
            br_table [0 1 2 3]
          end
          const 0
          effect
        end
        const 1
        effect
        const 0
        call
        br_if 3
      end
      ask
      const 1
      set pc
      br_if 1
      const 0
      return
    end
  end
  trap
end
const 1
`},
		{"unused numbers go to a trap", []string{"call", "if@3", "e1", "ret", ""}, `
block
  block
    block
      block
        block
          get pc
          br_table [0 1 3]
        end
        const 0
        call
        br_if 3
      end
      ask
      br_if 0
      const 1
      effect
    end
    const 0
    return
  end
  trap
end
const 1
`},
		{"unreachable code is omitted", []string{"to@2", "e1", "e2 ret", "e3 ret", ""}, `
const 2
effect
const 0
return
trap
`},
		{"morestack alone needs no dispatcher", []string{"more e1", "ret", ""}, `
block
  ask
  if
    const 0
    morestack
    br_if 1
  end
  const 1
  effect
  const 0
  return
  trap
end
const 1
`},
		{"both branches go to the same code", []string{"if@1 to@1", "ret", ""}, `
ask
drop
const 0
return
trap
`},
		{"an endless cycle", []string{"to@0", ""}, `
loop
  br 0
end
trap
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := assemble(t, test.codes...)
			got := disassemble(t, rewrite(t, body))
			if want := strings.TrimPrefix(test.want, "\n"); got != want {
				t.Errorf("from\n%sgot\n%swant\n%s", disassemble(t, body), got, want)
			}
			compare(t, body, rewrite(t, body), 1)
		})
	}
}

// compare runs a function before and after rewriting.
func compare(t *testing.T, before, after []byte, seed uint64) {
	t.Helper()
	for round := range uint64(8) {
		run := func(body []byte) []string {
			m := &machine{t: t, chance: rand.New(rand.NewPCG(seed, round))}
			return m.run(body)
		}
		want, got := run(before), run(after)
		if !slices.Equal(got, want) {
			t.Fatalf("before\n%s%q\nafter\n%s%q", disassemble(t, before), want, disassemble(t, after), got)
		}
	}
}

// random generates a function.
func random(chance *rand.Rand) []string {
	codes := make([]string, 2+chance.IntN(14))
	last := len(codes) - 1
	near := func(k int) int { // wild jumps are rare, so that loops nest
		if chance.IntN(4) == 0 {
			return chance.IntN(last + 1)
		}
		return min(last, max(0, k+chance.IntN(7)-3))
	}
	calls := chance.IntN(3) // a third of the functions have none
	for k := range last {
		var words []string
		if k == 0 && calls > 0 && chance.IntN(2) == 0 {
			words = append(words, "more")
		}
		for range chance.IntN(3) {
			words = append(words, fmt.Sprintf("e%d", 100*k+len(words)))
		}
		if calls > 0 && chance.IntN(6) == 0 {
			words = append(words, "nil")
		}
		if chance.IntN(2) == 0 {
			words = append(words, fmt.Sprintf("%s@%d", []string{"if", "ifnot"}[chance.IntN(2)], near(k)))
		}
		switch n := chance.IntN(12); {
		case n < 3:
			words = append(words, fmt.Sprintf("to@%d", near(k)))
		case n < 3+calls:
			words = append(words, []string{"call", "icall"}[chance.IntN(2)])
		case n == 10:
			words = append(words, "ret")
		case n == 11:
			words = append(words, "trap")
		}
		codes[k] = strings.Join(words, " ")
	}
	return codes
}

// TestRandom compares randomly generated functions with their rewritten forms, also when the pass runs on its own
// output.
func TestRandom(t *testing.T) {
	for seed := range uint64(5000) {
		before := assemble(t, random(rand.New(rand.NewPCG(seed, 1)))...)
		after := rewrite(t, before)
		compare(t, before, after, seed)
		if _, _, why, _, _ := parse(after, 0, nil); why == "" {
			compare(t, before, rewrite(t, after), seed)
		}
	}
}

// FuzzFunction is TestRandom for longer.
func FuzzFunction(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		before := assemble(t, random(rand.New(rand.NewPCG(seed, 2)))...)
		compare(t, before, rewrite(t, before), seed)
	})
}
