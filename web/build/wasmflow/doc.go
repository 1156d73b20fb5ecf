// Package wasmflow makes WebAssembly that Go's linker wrote faster and smaller: it turns jumps through a dispatcher
// into direct branches and real loops. What a program does, it leaves alone.
//
// # What Go writes
//
// WebAssembly has no goto, and Go must be able to enter a function in its middle, to go on with a goroutine after a
// call that unwound the WebAssembly stack. So the compiler (cmd/internal/obj/wasm/wasmobj.go, preprocess) starts a
// function with a dispatcher: as many nested blocks as the function has places to go to, and a br_table on local 0,
// the block number. A code is what stands between the ends of two such blocks.
//
//	block                        unwind: a call returned 1, so return 1
//	  loop                       dispatcher
//	    block … block            one for each code
//	      local.get 0  br_table  by block number
//	    end  code 0
//	    end  code 1
//	    …
//	  end
//	  unreachable
//	end
//	i32.const 1
//
// A taken jump sets the block number and goes back to the loop, through the table and on: an indirect branch for
// every if that is not fallen through and every turn of a loop, and no loop that V8 could recognise.
//
// # What the pass does
//
// parse.go takes a function apart into its codes and the jumps in them; graph.go decides which jumps can be direct
// and finds the loops; layout.go orders the codes so that each loop's are together, its head first; emit.go writes
// them, with a block around everything in front of a code that is branched to, and a loop around each loop. The
// dispatcher stays for what enters a function in its middle, and goes where nothing does. The order of functions and
// their types, numbers and constants stay as they are.
//
// data.go joins segments of data. The linker leaves out each run of eight zeros, and so writes 78,000 segments for the
// engine; joined, they take 15% less after compression. Other sections stay as they are. lines.go takes out what only
// prints file names and lines, where that is wanted.
//
// # Why it means the same
//
// A function is rewritten only if all of it has the shape above; parse.go checks that:
//
//  1. The WebAssembly stack is empty at both ends of a code, because all blocks of the dispatcher are of type void.
//     So codes can be put in any order, if at each one's end control goes to where it went.
//  2. Codes branch only within themselves, to the dispatcher with a constant block number just set, or, after a
//     call, to the unwinding exit. So the jumps between codes are known, all of them.
//  3. Local 0 is read only by the dispatcher and by indirect calls, which have set it just before. Every way to the
//     dispatcher sets it or is the function's entry. So a jump that does not go through the dispatcher need not set it.
//
// Given that, the edges between codes are what they were, and only their encoding changes. What goes back to a code
// that dominates the jump becomes a branch to a loop; what goes back otherwise, into a loop with a second entry,
// goes through the dispatcher as before. The remaining graph is reducible, and a loop's codes can be placed together
// with its head first so that every other edge leads forward, to the end of a block that begins at the start of the
// innermost loop around both ends.
//
// Which codes can be entered from outside? By a block number other than 0 a function is entered only when a goroutine
// goes on, by an address that was left on Go's stack or computed from one:
//
//   - after a call at a code's end, at the code behind it. The address is a constant in front of the call: parse.go
//     checks that it is of this function and leads there;
//   - in front of the call of deferreturn, where runtime.recovery goes on, at the return address less one, which is
//     in the code of the call (cmd/link/internal/ld/pcln.go, computeDeferReturn). Calls of deferreturn are not to be
//     told from others, so each code that ends with a call counts as one that can be entered;
//   - at runtime.goexit plus one, which is in code 0;
//   - after morestack, again at code 0.
//
// Calls within an if have return addresses too, which are not used: those of sigpanic, after which the function does
// not go on, and those that crash if the callee unwinds. Transform fails if anything but one function is called as
// sigpanic is.
//
// All other block numbers lead to a trap, so if one of these statements is wrong for some Go, the program crashes at
// once instead of going astray. Tests run Go's own tests of the runtime and of other packages through the pass.
//
// # What it gains
//
// With Go 1.26.8 and V8 of node 20, against the linker's output, by CPU time: the archive's decoders run 1.2 (XPRESS)
// to 1.4 times (LZX) as fast, go/parser and encoding/json 1.4 times; the engine is 4.6% smaller, 4.2% after
// compression, and V8's optimizing compiler takes a fifth less time for it. The pass itself takes 0.1 s.
//
// # What it does not do
//
// A loop that contains a call (other than of the runtime's assembly helpers, which do not unwind) can be entered
// after that call, so its back edge still goes through the dispatcher. Hot loops should have no calls.
package wasmflow
