// Package platform is the browser around the page: the document that components are shown in, and what
// web/state.Platform asks for (pickers, dropped files, saving, recent files, the clipboard, the address).
//
// All of it is for js/wasm.
package platform
