package jsx

import (
	"errors"
	"strings"
	"syscall/js"
)

// Error is an exception or the reason of a rejection.
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

// ErrorOf returns an Error for a thrown value.
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

// Catch turns a JavaScript exception, which arrives as a panic, into an error. Other panics continue.
//
//	defer jsx.Catch(&err)
func Catch(err *error) {
	switch p := recover().(type) {
	case nil:
	case js.Error:
		*err = ErrorOf(p.Value)
	case *js.ValueError: // a method of something that is not an object
		*err = &Error{Name: "TypeError", Message: p.Error()}
	case string:
		// syscall/js panics with this for a method that does not exist.
		if !strings.HasPrefix(p, "syscall/js: ") {
			panic(p)
		}
		*err = &Error{Name: "TypeError", Message: p}
	default:
		panic(p)
	}
}

// Named reports whether err is an exception with this name.
func Named(err error, name string) bool {
	var e *Error
	return errors.As(err, &e) && e.Name == name
}
