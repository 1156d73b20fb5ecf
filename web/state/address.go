package state

import "time"

// address is the place on the page that is shown, and the browser's address of it.
type address struct {
	host   *host
	Route  Route
	moved  func()      // called after each change
	follow func(Route) // brings the model to the place of a route
}

// addressDelay is how long the address waits for the next change when changes may follow each other quickly: browsers allow
// few a second.
const addressDelay = 300 * time.Millisecond

// move sets the address; replace overwrites the current entry of the history instead of adding one.
func (a *address) move(r Route, replace bool) {
	if r == a.Route {
		return
	}
	a.Route = r
	a.host.platform.SetHash(r.String(), replace)
	a.moved()
}

// goTo sets the address and brings the model there.
func (a *address) goTo(r Route) {
	a.move(r, false)
	a.follow(r)
}

// typed takes a route that changes with each letter that is typed. The browser gets it after a pause.
func (a *address) typed(r Route) {
	a.Route = r
	time.AfterFunc(addressDelay, func() {
		a.host.Read(func() {
			if a.Route == r {
				a.host.platform.SetHash(r.String(), true)
			}
		})
	})
}
