package pool

import "wimscope/worker/protocol"

// Conn is a connection to one worker. Its methods may be called from any goroutine and do not block for long.
type Conn interface {
	// Send sends m. Buffers in m.Attach are transferred: the caller must not use them afterwards.
	Send(m protocol.Message) error

	// Bytes copies an attachment that is a buffer into Go memory.
	Bytes(attachment any) ([]byte, error)

	// Terminate ends the worker at once, even in the middle of a computation. The Receiver is not called afterwards.
	Terminate()
}

// Receiver receives what a worker sends. Its methods return at once.
type Receiver interface {
	// Message receives one message. Messages arrive in the order in which they were sent.
	Message(m protocol.Message)

	// Lost reports that the worker is gone: its program ended, its script failed, or a message could not be read.
	Lost(err error)
}

// Program is what a worker runs.
type Program string

const (
	Reader  Program = "reader"  // opens archives, browses, verifies and extracts
	Builder Program = "builder" // does the same, and builds archives
)

// can reports whether a worker that runs p can do the work of q.
func (p Program) can(q Program) bool { return p == q || p == Builder }

// Starter starts workers. In a browser it makes a Worker and passes it the compiled module.
type Starter interface {
	// Load makes a program available to Start: in a browser it fetches and compiles the module, once for all workers.
	// Until then it blocks. It can be called again after an error.
	Load(p Program) error

	// Start starts a worker with a loaded program. It returns as soon as messages can be sent; they are queued until
	// the worker is ready. The name appears in the browser's developer tools.
	Start(p Program, name string, r Receiver) (Conn, error)
}
