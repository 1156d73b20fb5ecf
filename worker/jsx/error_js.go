package jsx

import (
	"errors"
	"strings"
	"syscall/js"
)

// Error is an exception or a rejection.
type Error struct {
	Name    string // of a DOMException or an Error: "NotReadableError", "TypeError", …
	Message string
}

func (e *Error) Error() string {
	if e.Name == "" {
		return e.Message
	}
	return e.Name + ": " + e.Message
}

// ErrorOf makes an Error of whatever was thrown.
func ErrorOf(v js.Value) error {
	if v.Type() != js.TypeObject {
		return &Error{Message: js.Global().Get("String").Invoke(v).String()}
	}
	return &Error{Name: text(v.Get("name")), Message: text(v.Get("message"))}
}

func text(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}

// Catch turns a JavaScript exception that is on its way up as a panic into an error. Other panics go on.
//
//	defer jsx.Catch(&err)
func Catch(err *error) {
	switch p := recover().(type) {
	case nil:
	case js.Error:
		*err = ErrorOf(p.Value)
	case *js.ValueError: // a method of what is no object: a value of another kind than was promised
		*err = &Error{Name: "TypeError", Message: p.Error()}
	case string:
		// So says syscall/js of a method that is not there.
		if !strings.HasPrefix(p, "syscall/js: ") {
			panic(p)
		}
		*err = &Error{Name: "TypeError", Message: p}
	default:
		panic(p)
	}
}

// Named says whether err is an exception of that name.
func Named(err error, name string) bool {
	var e *Error
	return errors.As(err, &e) && e.Name == name
}
