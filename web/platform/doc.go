// Package platform connects the page to the browser: the document in which components are shown, and what
// web/state.Platform requires (pickers, dropped files, saving, recent files, the clipboard, the address).
//
// All of it is js/wasm only.
package platform
