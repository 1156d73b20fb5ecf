// Package state is the model of the page and its commands, without a browser and without Vugu.
//
// An [App] holds the whole model, in parts: [Opener], [Jobs], [Palette] and [Look] exist once, the parts of an [Archive]
// ([Files], [Search], [Images], [Verify], [Details], [Extract]) once per archive that was opened. What a user does arrives
// as a call of a method, a command, of the part that it changes. A command changes the model under one lock and starts
// what takes time in a goroutine, which changes the model again when it is done. After each change the page is asked to
// render; components only read. Everything that needs a browser goes through [Platform], everything that needs an
// archive through [Engine].
package state
