// Package wasmflow makes WebAssembly from Go's linker faster and smaller without changing what it does: it turns
// jumps through a dispatcher into direct branches and real loops.
//
// # What Go writes
//
// WebAssembly has no goto, and Go must be able to enter a function in the middle, to resume a goroutine after a call
// that unwound the WebAssembly stack. So the compiler (cmd/internal/obj/wasm/wasmobj.go, preprocess) starts a
// function with a dispatcher: as many nested blocks as the function has jump targets, and a br_table on local 0, the
// block number. A code is the instructions between the ends of two such blocks.
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
// A taken jump sets the block number, goes back to the loop and through the table: an indirect branch for every if
// that does not fall through and every iteration of a loop, and no loop that V8 could recognise.
//
// # What the pass does
//
// parse.go splits a function into its codes and the jumps in them; graph.go decides which jumps can be direct and
// finds the loops; layout.go orders the codes so that each loop's are together, its head first; emit.go writes them,
// with a block around everything before a code that is branched to, and a loop around each loop. The dispatcher stays
// if the function can be entered in the middle, and is removed otherwise. The order of functions and their types,
// numbers and constants do not change.
//
// data.go joins data segments. The linker omits each run of eight zeros, and so writes 78,000 segments for the
// engine; joined, they take 15% less after compression. Other sections do not change. On request lines.go removes
// what is only needed to print file names and lines.
//
// # Why the result is equivalent
//
// A function is rewritten only if all of it has the shape above; parse.go checks that:
//
//  1. The WebAssembly stack is empty at both ends of a code, because all blocks of the dispatcher have type void.
//     So codes can be put in any order, if control at the end of each one goes where it went before.
//  2. Codes branch only within themselves, to the dispatcher with a constant block number just set, or, after a
//     call, to the unwinding exit. So all jumps between codes are known.
//  3. Local 0 is read only by the dispatcher and by indirect calls, which set it immediately before. Every path to the
//     dispatcher sets it or is the function's entry. So a jump that bypasses the dispatcher need not set it.
//
// Given that, the edges between codes stay the same, and only their encoding changes. A jump back to a code that
// dominates it becomes a branch to a loop; any other jump back, into a loop with a second entry, goes through the
// dispatcher as before. The remaining graph is reducible, so a loop's codes can be placed together with its head
// first, and then every other edge goes forward, to the end of a block that begins at the start of the innermost loop
// around both ends.
//
// Which codes can be entered from outside? A function is entered with a block number other than 0 only when a
// goroutine is resumed, at an address that was left on Go's stack or computed from one:
//
//   - after a call at a code's end, at the code behind it. The address is a constant before the call: parse.go
//     checks that it belongs to this function and to that code;
//   - before the call of deferreturn, where runtime.recovery resumes, at the return address less one, which is
//     in the code of the call (cmd/link/internal/ld/pcln.go, computeDeferReturn). Calls of deferreturn look like any
//     others, so each code that ends with a call counts as one that can be entered;
//   - at runtime.goexit plus one, which is in code 0;
//   - after morestack, again at code 0.
//
// Calls within an if have return addresses too, which are not used: those of sigpanic, after which the function is
// not resumed, and those that crash if the callee unwinds. Transform fails if any function but one is called like
// sigpanic.
//
// All other block numbers go to a trap. So if one of these statements is wrong for some version of Go, the program
// crashes at once instead of misbehaving. Tests run Go's own tests of the runtime and of other packages through the
// pass.
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
// after that call, so its back edge still goes through the dispatcher. Hot loops should contain no calls.
package wasmflow
