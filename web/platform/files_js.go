package platform

import (
	"syscall/js"

	"wimscope/web/state"
	"wimscope/worker/jsx"
	"wimscope/worker/protocol"
)

// fileOf returns a state.File for a File.
func fileOf(v, handle js.Value) state.File {
	f := state.File{Name: v.Get("name").String(), Size: int64(v.Get("size").Float()), Modified: int64(v.Get("lastModified").Float()), Value: v}
	if handle.Truthy() {
		f.Handle = handle
	}
	return f
}

// pickerError returns ErrDismissed for a picker that was closed, and a protocol.Error for other errors.
func pickerError(err error) error {
	switch {
	case err == nil:
		return nil
	case jsx.Named(err, "AbortError"):
		return state.ErrDismissed
	case jsx.Named(err, "NotAllowedError"), jsx.Named(err, "SecurityError"):
		return &protocol.Error{Code: protocol.CodePermission, Message: err.Error()}
	case jsx.Named(err, "NotFoundError"), jsx.Named(err, "NotReadableError"):
		return &protocol.Error{Code: protocol.CodeChanged, Message: err.Error()}
	}
	return &protocol.Error{Code: protocol.CodeInternal, Message: err.Error()}
}

// PickFiles implements state.Platform. It uses a picker that returns handles, or an <input> if there is none.
func (b *Browser) PickFiles() ([]state.File, error) {
	if !b.window.Get("showOpenFilePicker").Truthy() {
		return b.pickByInput()
	}
	list, err := jsx.Call(b.window, "showOpenFilePicker", map[string]any{
		"multiple": true,
		"id":       "wim",
		"types": []any{map[string]any{
			"description": "WIM",
			"accept":      map[string]any{"application/x-ms-wim": []any{".wim", ".esd", ".swm"}},
		}},
	})
	if jsx.Named(err, "SecurityError") || jsx.Named(err, "NotAllowedError") {
		return b.pickByInput() // the picker exists, but a policy or a frame forbids it
	}
	if err != nil {
		return nil, pickerError(err)
	}
	var files []state.File
	for i := range list.Length() {
		f, err := b.FileOf(list.Index(i))
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (b *Browser) pickByInput() ([]state.File, error) {
	in := b.doc.Call("createElement", "input")
	in.Set("type", "file")
	in.Set("multiple", true)
	in.Set("accept", ".wim,.esd,.swm")
	in.Set("hidden", true)
	b.doc.Get("body").Call("appendChild", in)
	done := make(chan bool, 1)
	end := func(v bool) js.Func {
		return js.FuncOf(func(js.Value, []js.Value) any {
			select {
			case done <- v:
			default:
			}
			return nil
		})
	}
	change, cancel := end(true), end(false)
	in.Call("addEventListener", "change", change)
	in.Call("addEventListener", "cancel", cancel)
	in.Call("click")
	picked := <-done
	change.Release()
	cancel.Release()
	in.Call("remove")
	list := in.Get("files")
	if !picked || list.Length() == 0 {
		return nil, state.ErrDismissed
	}
	var files []state.File
	for i := range list.Length() {
		files = append(files, fileOf(list.Index(i), js.Undefined()))
	}
	return files, nil
}

// PickSave implements state.Platform.
func (b *Browser) PickSave(name string) (any, string, error) {
	h, err := jsx.Call(b.window, "showSaveFilePicker", map[string]any{"suggestedName": name, "id": "out"})
	if jsx.Named(err, "TypeError") {
		// The browser does not accept the suggested name; the user may choose a better one.
		h, err = jsx.Call(b.window, "showSaveFilePicker", map[string]any{"id": "out"})
	}
	if err != nil {
		return nil, "", pickerError(err)
	}
	return h, h.Get("name").String(), nil
}

// PickFolder implements state.Platform.
func (b *Browser) PickFolder() (any, string, error) {
	h, err := jsx.Call(b.window, "showDirectoryPicker", map[string]any{"mode": "readwrite", "id": "out"})
	if err != nil {
		return nil, "", pickerError(err)
	}
	return h, h.Get("name").String(), nil
}

// Allowed implements state.Platform.
func (b *Browser) Allowed(handle any, write, ask bool) (bool, error) {
	h := handle.(js.Value)
	if h.Get("queryPermission").Type() != js.TypeFunction {
		return true, nil // a handle in the origin private file system
	}
	mode := map[string]any{"mode": "read"}
	if write {
		mode["mode"] = "readwrite"
	}
	v, err := jsx.Call(h, "queryPermission", mode)
	if err == nil && v.String() == "prompt" && ask {
		v, err = jsx.Call(h, "requestPermission", mode)
	}
	if err != nil {
		return false, pickerError(err)
	}
	return v.String() == "granted", nil
}

// FileOf implements state.Platform.
func (b *Browser) FileOf(handle any) (state.File, error) {
	h := handle.(js.Value)
	v, err := jsx.Call(h, "getFile")
	if err != nil {
		return state.File{}, pickerError(err)
	}
	return fileOf(v, h), nil
}

// sampleName is the archive that is part of the page.
const sampleName = "sample.wim"

// Sample implements state.Platform.
func (b *Browser) Sample() (state.File, error) {
	r, err := jsx.Call(b.window, "fetch", sampleName)
	if err == nil && !r.Get("ok").Bool() {
		err = &protocol.Error{Code: protocol.CodeNotFound, Name: sampleName, Message: "the site returned status " + r.Get("status").Call("toString").String()}
	}
	var data js.Value
	if err == nil {
		data, err = jsx.Call(r, "blob")
	}
	if err != nil {
		return state.File{}, pickerError(err)
	}
	v, err := jsx.New("File", []any{data}, sampleName)
	if err != nil {
		return state.File{}, err
	}
	return fileOf(v, js.Undefined()), nil
}

// Offered are dropped or pasted files, with promises of their handles.
type Offered struct {
	files, handles []js.Value
}

// OfferedBy returns the files that boot.js has queued: {files, handles}.
func OfferedBy(v js.Value) Offered {
	var o Offered
	for i := range v.Get("files").Length() {
		o.files = append(o.files, v.Get("files").Index(i))
		o.handles = append(o.handles, v.Get("handles").Index(i))
	}
	return o
}

// OfferedIn returns the files of a DataTransfer. It must be called during the event, since the transfer is empty
// afterwards.
func OfferedIn(transfer js.Value) Offered {
	var o Offered
	items := transfer.Get("items")
	for i := range items.Length() {
		it := items.Index(i)
		if it.Get("kind").String() != "file" {
			continue
		}
		handle := js.Null()
		if it.Get("getAsFileSystemHandle").Type() == js.TypeFunction {
			handle = it.Call("getAsFileSystemHandle")
		}
		if f := it.Call("getAsFile"); f.Truthy() {
			o.files = append(o.files, f)
			o.handles = append(o.handles, handle)
		}
	}
	return o
}

// Files waits for the handles. Files without one are returned too.
func (o Offered) Files() []state.File {
	var files []state.File
	for i, f := range o.files {
		h, err := jsx.Await(o.handles[i])
		if err != nil || !h.Truthy() || h.Get("kind").String() != "file" {
			h = js.Undefined()
		}
		files = append(files, fileOf(f, h))
	}
	return files
}
