package pool

import "wimscope/worker/protocol"

// Conn is a line to one worker. Its methods may be called from any goroutine and do not block for long.
type Conn interface {
	// Send hands m over. Buffers in m.Attach are moved: the caller no longer has them.
	Send(m protocol.Message) error

	// Bytes copies an attachment that is a buffer into memory of this side.
	Bytes(attachment any) ([]byte, error)

	// Terminate ends the worker at once, whatever it does. No call of the Receiver follows.
	Terminate()
}

// Receiver takes what a worker says. Its methods return at once.
type Receiver interface {
	// Message takes one message, in the order in which they were sent.
	Message(m protocol.Message)

	// Lost says that the worker is gone: its program ended, its script failed, or a message could not be read.
	Lost(err error)
}

// Starter makes workers: in a browser a Worker that is given the compiled module.
type Starter interface {
	// Start returns as soon as messages can be sent; they wait until the worker is ready. Name is for people who
	// look at a list of workers.
	Start(name string, r Receiver) (Conn, error)
}
