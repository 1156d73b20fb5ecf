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

// Starter starts workers. In a browser it makes a Worker and passes it the compiled module.
type Starter interface {
	// Start returns as soon as messages can be sent; they are queued until the worker is ready. The name appears in
	// the browser's developer tools.
	Start(name string, r Receiver) (Conn, error)
}
