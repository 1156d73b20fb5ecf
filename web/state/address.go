package state

import "time"

// address is the current place on the page, and sets the address in the browser.
type address struct {
	host   *host
	Route  Route
	moved  func()      // called after each change of Route
	follow func(Route) // brings the model to a place
}

// addressDelay is how long a change of the address waits for the next one if they may come quickly: browsers allow only
// a few per second.
const addressDelay = 300 * time.Millisecond

// move sets the address. If replace is set, it replaces the current entry of the history instead of adding one.
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

// typed sets a route that changes with each letter. The browser gets it after a pause.
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
