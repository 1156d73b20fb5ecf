// Package state is what the page knows and what can be done with it, without a browser and without Vugu.
//
// An [App] holds the whole model. What a person does comes in as a call of one of its methods, a command; a command
// changes the model under the App's lock and starts what takes time in a goroutine, which changes the model again
// when it is done. After each change the App asks to be shown again; components only read. Everything that needs
// a browser goes through [Platform], everything that needs an archive through [Engine].
package state
